"""A page for tests/test_visit.py: it says who is here, and asks to be told when they have gone."""

import streamlit as st

from pages.shared import visit
from tests import visit_told

visit.GRACE, visit.LOOK = visit_told.GRACE, visit_told.LOOK
visit.at_end(visit_told.failing)
visit.at_end(visit_told.told)
st.markdown(visit.owner())
