"""A page for tests/pages/test_visitor.py: it says who is here, and asks to be told when they have
gone.
"""

import streamlit as st

from pages.shared import visitor
from tests.tools import visit_told

visitor.GRACE, visitor.LOOK = visit_told.GRACE, visit_told.LOOK
visitor.at_end(visit_told.failing)
visitor.at_end(visit_told.told)
st.markdown(visitor.owner())
