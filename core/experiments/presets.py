"""The experiments that come with the app finished: the talk's second question, under its own protocol and under fair ones.

Computed on two CPU cores, so budgets end at 10,000 digits: 50,000, which the talk has too, would take as long as all the others together,
and there every selection is at 0.99. `python -m core retrain --shipped` computes what is missing and packs everything.
"""

from __future__ import annotations

from core.experiments.active import Active
from core.experiments.retrain import Retraining
from core.experiments.utilities import Queries, Utilities
from core.spec import Spec

FAIR = Retraining()
TALK = FAIR.with_(protocol="talk")
SHIPPED = (FAIR, TALK, FAIR.with_(network="lenet5"), TALK.with_(network="lenet5"))
ACTIVE = (Active(),)
# The GORAL paper's letter, and its synth2: ten points of the central clusters, a tenth of the rest for validation.
LETTER = Spec(dataset="letter")
SYNTH2 = Queries().with_(seen=Spec(dataset="synth2"), labeled=10, unlabeled=470, validation=53, rounds=24)
INFLUENCE = (
    Utilities(),
    Utilities().with_(seen=LETTER),
    SYNTH2,
    Queries(),
    Queries().with_(seen=LETTER),
    Queries().with_(seen=LETTER, goal="entropy"),
)
