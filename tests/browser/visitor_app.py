"""A page for tests/pages/test_visitor.py: it says who is here, and asks to be told when they have
gone.
"""

import streamlit as st

from pages.shared import visitor
from tests.browser import visitor_told

visitor.GRACE, visitor.LOOK = visitor_told.GRACE, visitor_told.LOOK
visitor.at_end(visitor_told.failing)
visitor.at_end(visitor_told.told)
st.markdown(visitor.owner())
