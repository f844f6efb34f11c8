"""The table of contents: every strategy of the lab, in menu order.

Importing a module registers its functions.
"""

# ruff: noqa: F401
# isort: off
from core.strategies import leverage
from core.strategies import class_leverage
from core.strategies import fisher_leverage
from core.strategies import textbook_qr
from core.strategies import uncertainty
from core.strategies import density
from core.strategies import dynamics
from core.strategies import coreset
from core.strategies import badge
from core.strategies import bait
from core.strategies import dpp
from core.strategies import albl
from core.strategies import influence
from core.strategies import local_influence
from core.strategies import goal
from core.strategies import shapley
from core.strategies import chance
