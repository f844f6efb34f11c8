"""Does the chip's name tell chips apart?"""

from core.runtime import machine

ONE = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\nstepping\t: 1\n"


def test_a_name_that_many_chips_share_comes_with_their_numbers():
    named = machine._of(f"{ONE}\n{ONE.replace('EPYC', 'other')}")
    assert named == "AMD EPYC (cpu family 25, model 1, stepping 1)"
    assert machine._of(ONE.replace("model\t\t: 1", "model\t\t: 17")) != named


def test_elsewhere_there_is_a_name_too():
    assert machine._of("") and machine._of("Hardware : a board") and machine.chip()
