"""The cache gives back what was put, notices every kind of damage, and loses nothing when the disk
refuses.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from core.runtime import cache, entry_files, result_folders
from core.types import UserError

ARRAYS = {"scores": np.linspace(0, 1, 1000), "indices": np.arange(12).reshape(3, 4)}
FACTS = {"rank": 713, "sum": 712.9999999999, "device": "cpu", "list": [1, 2.5, None, True]}
REPOSITORY = Path(cache.__file__).parents[2]


@pytest.fixture(autouse=True)
def root(own_cache, tmp_path, monkeypatch):
    monkeypatch.delenv("LEVERAGE_LAB_CACHE_GB", raising=False)
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(entry_files, "_verified", set())
    monkeypatch.setattr(entry_files, "SMALL", 1000)  # so that ARRAYS make a large result
    monkeypatch.setattr(cache, "_damage", {})
    return own_cache


def key_of(number=1, step="score"):
    return cache.key(step, {"n": number}, code="c", data="d")


def place_of(key, root=None):
    return (root or cache.folder()) / key.rpartition("-")[0] / key


def same(entry):
    return (
        all(np.array_equal(entry.arrays[name], array) for name, array in ARRAYS.items())
        and entry.facts == FACTS
    )


def bound(monkeypatch, size):
    """The cache may take so many bytes of the disk."""
    monkeypatch.setenv("LEVERAGE_LAB_CACHE_GB", str(size / cache.GIGABYTE))


def temporaries():
    return [path for path in cache.folder().rglob("*") if ".tmp-" in path.name]


def fill(numbers, size=10_000):
    for number in numbers:
        cache.put(key_of(number), {"a": np.zeros(size // 8)}, {})
        time.sleep(0.02)  # file times tick every few milliseconds


def test_a_round_trip_keeps_arrays_facts_types_and_shapes():
    odd = {
        "empty": np.zeros((0, 3)),
        "scalar": np.array(2.5),
        "text": np.array(["a", "ßü"]),
        "flags": np.array([True, False]),
    }
    put = cache.put(key_of(), {**ARRAYS, **odd}, FACTS)
    odd["flags"][0] = False  # the caller's arrays stay the caller's
    for entry in (put, cache.get(key_of())):
        assert (
            same(entry) and entry.notes == () and entry.key == key_of() and entry.arrays["flags"][0]
        )
        assert all(
            entry.arrays[name].dtype == odd[name].dtype
            and entry.arrays[name].shape == odd[name].shape
            for name in odd
        )
    assert entry.arrays["text"].tolist() == ["a", "ßü"] and entry.arrays["scalar"] == 2.5
    assert cache.get(key_of(2)) is None


def test_arrays_are_mapped_not_read_and_cannot_be_written():
    cache.put(key_of(), ARRAYS, FACTS)
    owner = scores = cache.get(key_of()).arrays["scores"]
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(owner, mmap.mmap) and type(scores) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        scores[0] = 5


def test_the_description_tells_what_the_files_hold():
    cache.put(
        key_of(),
        ARRAYS,
        {"rank": np.int64(3), "infinite": float("inf")},
        describe={"strategy": "leverage"},
    )
    card = json.loads((place_of(key_of()) / "entry.json").read_text())
    assert card["describe"] == {"strategy": "leverage"} and card["facts"] == {
        "rank": 3,
        "infinite": float("inf"),
    }
    assert (
        card["arrays"]["indices"]["shape"] == [3, 4] and card["arrays"]["scores"]["dtype"] == "<f8"
    )
    assert abs(card["written"] - time.time()) < 60 and card["key"] == key_of()
    assert np.load(place_of(key_of()) / "scores.npy", mmap_mode="r", allow_pickle=False).shape == (
        1000,
    )


def test_what_cannot_be_stored_exactly_is_refused():
    with pytest.raises(UserError, match="object"):  # it would have to be pickled
        cache.put(key_of(), {"a": np.array([{}, None], dtype=object)}, {})
    with pytest.raises(UserError, match="plain name"):
        cache.put(key_of(), {"../a": np.zeros(3)}, {})
    with pytest.raises(UserError, match="expected finite numbers"):
        cache.put(key_of(), {}, {"a": object()})


def test_bundled_results_come_second_and_are_only_read():
    cache.bundle(key_of(), ARRAYS, FACTS)
    before = place_of(cache.bundled_key(key_of()), cache.BUNDLED).stat().st_mtime_ns
    assert same(cache.get(key_of())) and not cache.folder().exists()
    assert place_of(cache.bundled_key(key_of()), cache.BUNDLED).stat().st_mtime_ns == before
    cache.put(key_of(), {"own": np.ones(2)}, {})
    assert set(cache.get(key_of()).arrays) == {"own"}


def test_a_bundled_result_answers_whatever_the_code_but_for_no_other_fields():
    cache.bundle(key_of(), ARRAYS, FACTS)
    cache.bundle(key_of(), ARRAYS, FACTS | {"rank": 5})  # replaces
    later = cache.key("score", {"n": 1}, code="another", data="d")
    assert (
        later != key_of() and cache.get(later).facts["rank"] == 5 and cache.get(later).key == later
    )
    assert (
        cache.get(key_of(2)) is None
        and cache.get(cache.key("score", {"n": 1}, code="c", data="e")) is None
    )
    with cache.without_bundle():
        assert cache.get(key_of()) is None
    assert cache.get(key_of()) is not None
    cache.put(key_of(2), ARRAYS, FACTS)  # in the user's cache the code counts
    assert cache.get(cache.key("score", {"n": 2}, code="another", data="d")) is None


def test_entries_lists_a_step_over_both_roots():
    cache.bundle(key_of(1), ARRAYS, {"from": "bundle"})
    cache.put(key_of(2), ARRAYS, {"from": "user"})
    cache.put(key_of(3, "embed"), ARRAYS, {"from": "another step"})
    assert cache.entries("score") == sorted(
        [(cache.bundled_key(key_of(1)), {"from": "bundle"}), (key_of(2), {"from": "user"})]
    )
    (place_of(key_of(2)) / "entry.json").write_text("{")
    assert (
        cache.entries("score") == [(cache.bundled_key(key_of(1)), {"from": "bundle"})]
        and cache.entries("unknown") == []
    )


@dataclass(frozen=True)
class Spec:
    strategy: str = "leverage"
    ridge: float = 0.5


VALUES = [
    1,
    1.0,
    True,
    "1",
    None,
    "None",
    0,
    0.0,
    False,
    "",
    [],
    [1],
    [1, 1],
    [[1], 1],
    {},
    {"a": 1},
    0.1,
    np.nextafter(0.1, 1),
]


def test_every_value_and_every_part_of_a_key_counts():
    keys = [
        cache.key("score", {"value": value}, code="c", data="d")
        for value in [*VALUES, Spec(), Spec(ridge=0.25)]
    ]
    keys += [
        cache.key("score", {"other": 1}, code="c", data="d"),
        cache.key("score", {"value": 1, "more": 1}, code="c", data="d"),
    ]
    keys += [
        cache.key("score", {"value": 1}, code="C", data="d"),
        cache.key("score", {"value": 1}, code="c", data="D"),
    ]
    keys += [
        cache.key("scores", {"value": 1}, code="c", data="d"),
        cache.key("score", {"value": 1}, code="d", data="c"),
    ]
    assert len(set(keys)) == len(keys)


def test_a_key_is_stable():
    one, two = (
        {"a": 1, "b": (2, 3), "c": np.float64(0.1)},
        {"c": 0.1, "b": [2, 3], "a": np.int64(1)},
    )
    assert cache.key("score", one, code="c", data="d") == cache.key(
        "score", two, code="c", data="d"
    )
    # Frozen: another first part would orphan every result bundled with the app.
    assert (
        cache.key("score", {"strategy": "leverage", "ridge": 0.0, "rank": None}, code="c", data="d")
        == "score-ac3a8eb1d0581c68caec17f4"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, np.zeros(3)])
def test_a_value_without_exact_text_is_refused(value):
    with pytest.raises(UserError, match="expected finite numbers"):
        cache.key("score", {"value": value}, code="c", data="d")


@pytest.mark.parametrize(
    "bad",
    [
        "../../etc/passwd",
        "score-XYZ",
        "score-" + "a" * 23,
        "Score-" + "a" * 24,
        "a/b-" + "a" * 24,
        "",
    ],
)
def test_a_key_that_is_not_ours_never_becomes_a_path(bad):
    for use in (
        lambda: cache.get(bad),
        lambda: cache.put(bad, {}, {}),
        lambda: cache.key(bad, {}, code="c", data="d"),
    ):
        with pytest.raises(UserError, match="expected a lower-case step"):
            use()


def flip(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def copy_of_another(place):
    cache.put(key_of(99), ARRAYS, FACTS)
    (place / "entry.json").write_bytes((place_of(key_of(99)) / "entry.json").read_bytes())


DAMAGES = {
    "one bit of an array": (lambda place: flip(place / "scores.npy"), "scores.npy: found checksum"),
    "a shorter array": (
        lambda place: os.truncate(place / "scores.npy", 100),
        "scores.npy: found 100 bytes, expected 8,128",
    ),
    "no array": (
        lambda place: (place / "scores.npy").unlink(),
        "scores.npy: found no file, expected 8,128",
    ),
    "no description": (
        lambda place: (place / "entry.json").unlink(),
        "entry.json: found nothing readable",
    ),
    "garbage": (
        lambda place: (place / "entry.json").write_text("garbage"),
        "entry.json: found nothing readable",
    ),
    "other JSON": (
        lambda place: (place / "entry.json").write_text("[1]"),
        "entry.json: found nothing readable",
    ),
    "another fact": (
        lambda place: (place / "entry.json").write_text(
            (place / "entry.json").read_text().replace("713", "7")
        ),
        "checksum",
    ),
    "another entry": (copy_of_another, f"for {key_of(99)}, expected"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_noticed_moved_aside_told_and_mended(damage, caplog):
    strike, words = DAMAGES[damage]
    cache.put(key_of(), ARRAYS, FACTS)
    time.sleep(0.02)  # file times tick every few milliseconds
    strike(place_of(key_of()))
    assert cache.get(key_of()) is None and words in caplog.text
    assert (
        place_of(key_of()).with_name(f"{key_of()}.damaged-1").is_dir()
        and not place_of(key_of()).exists()
    )
    for entry in (cache.put(key_of(), ARRAYS, FACTS), cache.get(key_of())):
        assert same(entry) and len(entry.notes) == 1
        assert (
            "was damaged" in entry.notes[0]
            and words in entry.notes[0]
            and "computed again" in entry.notes[0]
        )
    assert {name for name, _ in cache.entries("score")} <= {key_of(), key_of(99)}


def test_the_note_reaches_the_process_that_computes_again():
    cache.put(key_of(), ARRAYS, FACTS)
    flip(place_of(key_of()) / "scores.npy")
    look = f"from core.runtime import cache; assert cache.get({key_of()!r}) is None"
    subprocess.run([sys.executable, "-c", look], check=True, cwd=REPOSITORY, capture_output=True)
    assert "was damaged" in cache.put(key_of(), ARRAYS, FACTS).notes[0]


def test_few_damaged_folders_are_kept_and_they_are_evicted_first(monkeypatch):
    for _ in range(5):
        fill([1])
        (place_of(key_of()) / "entry.json").unlink()
        assert cache.get(key_of()) is None
    assert len(list(cache.folder().rglob("*.damaged-*"))) == cache.ASIDE_KEPT
    fill([2])
    os.utime(place_of(key_of(2)), (0, 0))
    bound(monkeypatch, 2.5 * result_folders.size(place_of(key_of(2))))
    fill([3])
    assert (
        cache.get(key_of(2))
        and cache.get(key_of(3))
        and not list(cache.folder().rglob("*.damaged-*"))
    )


def test_a_damaged_bundle_stays_in_place_and_is_told():
    cache.bundle(key_of(), ARRAYS, FACTS)
    (place_of(cache.bundled_key(key_of()), cache.BUNDLED) / "entry.json").write_text("garbage")
    assert (
        cache.get(key_of()) is None
        and place_of(cache.bundled_key(key_of()), cache.BUNDLED).exists()
    )
    assert "was damaged" in cache.put(key_of(), ARRAYS, FACTS).notes[0] and same(
        cache.get(key_of())
    )


def test_checksums_are_computed_once_per_process_and_file(monkeypatch):
    cache.put(key_of(), ARRAYS, FACTS)
    monkeypatch.setattr(entry_files, "_file_digest", lambda file: pytest.fail("verified again"))
    assert same(cache.get(key_of()))


DYING = """
import numpy as np, os, sys
from core.runtime import cache, entry_files
entry_files._to_disk = lambda opened: os._exit(3)
cache.put(sys.argv[1], {"a": np.zeros(int(sys.argv[2])), "b": np.zeros(10)}, {})
"""


@pytest.mark.parametrize("size", ["10", "10000"])
def test_a_crash_in_the_middle_leaves_nothing_visible_and_is_swept_later(size, monkeypatch):
    died = subprocess.run([sys.executable, "-c", DYING, key_of(), size], cwd=REPOSITORY)
    assert died.returncode == 3
    assert len(temporaries()) == 1  # so it did die in the middle
    assert cache.get(key_of()) is None and cache.entries("score") == []
    cache.put(key_of(), ARRAYS, FACTS)
    assert len(temporaries()) == 1  # it might belong to a writer at work
    os.utime(temporaries()[0], (0, time.time() - 2 * result_folders.DAY))
    monkeypatch.setattr(result_folders, "_known", {})  # as in a process that begins
    cache.put(key_of(2), ARRAYS, FACTS)
    assert temporaries() == [] and same(cache.get(key_of()))


def held_bytes() -> int:
    """Bytes in the user's cache, damaged entries that were moved aside included."""
    return sum(size for *_, size in result_folders.found(cache.folder()))


def test_a_folder_that_cannot_be_made_keeps_the_values(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "file" / "cache"))
    assert cache.get(key_of()) is None and cache.entries("score") == [] and held_bytes() == 0
    entry = cache.put(key_of(), ARRAYS, FACTS)
    assert same(entry) and not entry.arrays["scores"].flags.writeable
    assert all(
        words in entry.notes[0]
        for words in (str(tmp_path / "file"), "Not a directory", "LEVERAGE_LAB_CACHE")
    )


@pytest.mark.parametrize(
    "owner, name",
    [(np, "save"), (Path, "mkdir"), (os, "rename"), (os, "fsync"), (entry_files, "_signed")],
)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_keeps_the_values_and_leaves_no_rubbish(
    owner, name, number, monkeypatch
):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, refuse)
        entry = cache.put(key_of(), ARRAYS, FACTS)
    assert same(entry) and os.strerror(number) in entry.notes[0]
    assert cache.get(key_of()) is None and temporaries() == []


@pytest.mark.parametrize("bad", ["", "five", "0", "-1", "nan", "inf"])
def test_a_bad_size_bound_is_named_before_anything_is_computed(bad, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_CACHE_GB", bad)
    with pytest.raises(UserError, match="LEVERAGE_LAB_CACHE_GB"):
        cache.get(key_of())


def test_the_least_recently_used_entries_go_first(monkeypatch):
    fill([1, 2, 3, 4])
    one = held_bytes() / 4
    held = cache.get(key_of(2)).arrays["a"]
    time.sleep(0.02)
    cache.get(key_of(1))
    time.sleep(0.02)
    bound(monkeypatch, 3.2 * one)
    fill([5])
    assert [number for number in range(1, 6) if cache.get(key_of(number))] == [1, 2, 5]
    bound(monkeypatch, 0.1 * one)
    fill([6])  # larger than the bound: the one just written stays
    assert [number for number in range(1, 7) if cache.get(key_of(number))] == [
        6
    ] and temporaries() == []
    assert held.sum() == 0  # who holds an evicted entry can still read it


def test_files_that_are_not_ours_are_never_touched(root, monkeypatch):
    foreign = [
        root / "score" / "holiday.jpg",
        root / "score" / "letters" / "one.txt",
        root / "other" / key_of() / "two.txt",
    ]
    for file in foreign:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 50_000)
        os.utime(file.parent, (0, 0))
    fill([1])
    one = held_bytes()
    bound(monkeypatch, one)
    fill([2, 3])
    assert all(file.exists() for file in foreign) and held_bytes() == one


RACING = """
import numpy as np, sys, time
from core.runtime import cache
while time.time() < float(sys.argv[1]): pass
for number in range(20):
    key = cache.key("race", {"n": number}, code="c", data="d")
    entry = cache.put(key, {"a": np.arange(50_000) + number}, {"n": number})
    assert entry.notes == () and entry.arrays["a"][-1] == 49_999 + number, entry
    assert cache.get(key).facts == {"n": number}
"""


def test_two_processes_that_put_the_same_keys_at_once_both_get_them():
    start = str(time.time() + 1.5)
    both = [
        subprocess.Popen([sys.executable, "-c", RACING, start], cwd=REPOSITORY) for _ in range(2)
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(cache.entries("race")) == 20 and temporaries() == []


@pytest.mark.parametrize("small, publish", [(0, "rename"), (100_000, "link")])
def test_who_comes_second_gets_the_first_ones_entry(small, publish, monkeypatch):
    monkeypatch.setattr(entry_files, "SMALL", small)

    publish_it = getattr(os, publish)

    def overtaken(source, target):
        """Another process puts the same key just before we do."""
        monkeypatch.setattr(os, publish, publish_it)
        cache.put(key_of(), ARRAYS, FACTS)
        publish_it(source, target)

    monkeypatch.setattr(os, publish, overtaken)
    for _ in range(2):  # overtaken, then simply late
        second = cache.put(key_of(), {"other": np.ones(3)}, {})
        assert same(second) and second.notes == () and temporaries() == []


def test_a_file_is_mapped_once_however_many_look_at_it():
    key = cache.key("score", {"a": 1}, code="", data="d")
    cache.put(key, {"scores": np.arange(5.0)}, {})
    one, two = cache.get(key), cache.get(key)
    assert one.arrays["scores"] is two.arrays["scores"] and not one.arrays["scores"].flags.writeable
    maps = len(entry_files._open)
    del one, two
    assert len(entry_files._open) < maps, "nobody looks any more"
    assert cache.get(key).arrays["scores"].tolist() == [0, 1, 2, 3, 4]


def test_what_is_kept_is_computed_once():
    asked = []

    def compute():
        asked.append(1)
        return ARRAYS, FACTS

    first = cache.kept(key_of(), compute, describe="a title")
    second = cache.kept(key_of(), compute)
    assert same(first) and same(second) and len(asked) == 1
    card = json.loads((place_of(key_of()) / "entry.json").read_text("utf-8"))
    assert card["describe"] == "a title"


# small results, each one file


@pytest.fixture
def small(monkeypatch):
    """ARRAYS and FACTS put as one file."""
    monkeypatch.setattr(entry_files, "SMALL", 65_536)
    cache.put(key_of(), ARRAYS, FACTS)
    return place_of(key_of()).with_name(f"{key_of()}.entry")


def test_a_small_result_is_one_file_that_says_what_it_holds(small):
    assert list(small.parent.iterdir()) == [small] and same(cache.get(key_of()))
    head, _, body = small.read_bytes().partition(b"\n")
    card = json.loads(head)
    about = card["arrays"]["indices"]
    assert card["facts"] == FACTS and card["key"] == key_of() and about["at"] % 16 == 0
    there = np.ndarray(about["shape"], about["dtype"], body, about["at"])
    assert np.array_equal(there, ARRAYS["indices"])
    assert cache.entries("score") == [(key_of(), FACTS)]
    with pytest.raises(ValueError, match="read-only"):
        cache.get(key_of()).arrays["indices"][0] = 5


def test_few_numbers_cost_one_block_and_not_one_each(monkeypatch):
    arrays = {name: np.zeros(50) for name in "abcdefg"}
    for size, key in ((0, key_of(1)), (65_536, key_of(2))):
        monkeypatch.setattr(entry_files, "SMALL", size)
        cache.put(key, arrays, FACTS)
    folder, file = place_of(key_of(1)), place_of(key_of(2)).with_name(f"{key_of(2)}.entry")
    assert result_folders.size(file) <= 8192 and result_folders.size(file) < held_bytes() / 4
    assert result_folders.size(folder) == sum(
        one.stat().st_blocks * 512 for one in (folder, *folder.iterdir())
    )


@pytest.mark.parametrize("kind", ["fortran", "structured", "empty", "nothing"])
def test_what_one_file_holds_comes_back_as_it_was(kind, monkeypatch):
    monkeypatch.setattr(entry_files, "SMALL", 65_536)
    arrays = {
        "fortran": {"a": np.asfortranarray(np.arange(6.0).reshape(2, 3))},
        "structured": {"a": np.zeros(3, [("x", "f4"), ("y", "i8")])},
        "empty": {"a": np.zeros((0, 3)), "b": np.zeros(0, "<U4"), "c": np.array(2.5)},
        "nothing": {},
    }[kind]
    cache.put(key_of(), arrays, FACTS)
    found = cache.get(key_of()).arrays
    for name, array in arrays.items():
        assert np.array_equal(found[name], array) and found[name].shape == array.shape
        assert found[name].dtype == array.dtype and found[name].flags.fnc == array.flags.fnc


@pytest.mark.parametrize("place", [0, 40, 400, -1])
def test_one_bit_anywhere_in_a_small_file_is_noticed_at_every_reading(place, small):
    assert same(cache.get(key_of()))
    before = small.stat()
    content = bytearray(small.read_bytes())
    content[place] ^= 1
    small.write_bytes(content)
    os.utime(small, ns=(before.st_atime_ns, before.st_mtime_ns))  # even with its old time
    assert cache.get(key_of()) is None
    assert (small.with_name(f"{key_of()}.damaged-1") / small.name).exists()
    mended = cache.put(key_of(), ARRAYS, FACTS)
    assert same(mended) and "was damaged" in mended.notes[0] and same(cache.get(key_of()))


@pytest.mark.parametrize("length", [0, 10, 1000, -1])
def test_a_small_file_cut_short_is_damaged(length, small):
    os.truncate(small, length if length >= 0 else small.stat().st_size - 1)
    assert cache.get(key_of()) is None and not small.exists()


def test_a_changed_file_is_verified_again_though_its_time_was_set_back():
    """The clock was set back, or somebody put the old time on it: the inode's own time tells."""
    cache.put(key_of(), ARRAYS, FACTS)
    assert same(cache.get(key_of()))
    file = place_of(key_of()) / "scores.npy"
    before = file.stat()
    time.sleep(0.02)  # file times tick every few milliseconds
    flip(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert file.stat().st_size == before.st_size and cache.get(key_of()) is None


@pytest.mark.parametrize("small", [0, 65_536])
def test_a_clock_that_was_set_back_loses_and_doubles_nothing(small, monkeypatch):
    monkeypatch.setattr(entry_files, "SMALL", small)
    cache.put(key_of(1), ARRAYS, FACTS)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 400 * result_folders.DAY)
    assert same(cache.get(key_of(1)))
    cache.put(key_of(1), {"other": np.ones(3)}, {})
    cache.put(key_of(2), ARRAYS, FACTS)
    assert [key for key, _ in cache.entries("score")] == sorted([key_of(1), key_of(2)])
    assert same(cache.get(key_of(1))) and same(cache.get(key_of(2)))


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_a_deeply_nested_text_is_a_damaged_entry(kind, text, small):
    file = small
    if kind == "folder":
        small.unlink()
        file = place_of(key_of()) / "entry.json"
        file.parent.mkdir()
    file.write_text(text)
    assert cache.entries("score") == [] and cache.get(key_of()) is None
    assert "entry.json: found nothing readable" in cache.put(key_of(), ARRAYS, FACTS).notes[0]


def test_facts_nested_too_deeply_are_refused():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(UserError, match="nested"):
        cache.put(key_of(), {}, {"a": nested})


def test_a_result_of_an_earlier_version_is_read_and_not_doubled(monkeypatch):
    cache.put(key_of(), ARRAYS, FACTS)  # a folder, as all were
    monkeypatch.setattr(entry_files, "SMALL", 65_536)
    assert same(cache.get(key_of())) and same(cache.put(key_of(), ARRAYS, FACTS))
    assert list(place_of(key_of()).parent.iterdir()) == [place_of(key_of())]


def test_bundled_results_are_folders_of_plain_arrays_however_small(monkeypatch):
    monkeypatch.setattr(entry_files, "SMALL", 65_536)
    cache.bundle(key_of(), ARRAYS, FACTS)
    folder = place_of(cache.bundled_key(key_of()), cache.BUNDLED)
    assert np.array_equal(np.load(folder / "indices.npy"), ARRAYS["indices"])
    assert same(cache.get(key_of()))


@pytest.mark.parametrize("owner, name", [(os, "fsync"), (entry_files, "_signed")])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_fills_in_the_middle_of_a_small_result(owner, name, number, monkeypatch):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(entry_files, "SMALL", 65_536)
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, refuse)
        entry = cache.put(key_of(), ARRAYS, FACTS)
    assert same(entry) and os.strerror(number) in entry.notes[0]
    assert cache.get(key_of()) is None and temporaries() == []


def test_where_links_are_unknown_a_small_result_is_renamed(monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(entry_files, "SMALL", 65_536)
    monkeypatch.setattr(os, "link", refuse)
    assert cache.put(key_of(), ARRAYS, FACTS).notes == () and temporaries() == []
    assert same(cache.get(key_of()))


def test_all_is_looked_at_once_and_then_only_as_the_room_fills(monkeypatch):
    looks = []
    look = result_folders._look
    monkeypatch.setattr(result_folders, "_look", lambda *how: looks.append(1) or look(*how))
    fill([1])
    one = held_bytes()
    bound(monkeypatch, 100 * one)
    monkeypatch.setattr(result_folders, "_known", {})
    fill(range(2, 12))
    assert len(looks) == 2  # in the first and here
    fill(range(12, 130))
    assert len(looks) < 60 and held_bytes() <= 100 * one
    assert cache.get(key_of(129)) and not cache.get(key_of(1))
