"""Which data points matter? What this app is, three pictures that lead in, and all its pages.

Everything comes with the app: the page asks no worker for anything.
"""

import streamlit as st

from pages.parts.start import digits, old_addresses, ways_in
from pages.shared import cached, layout, state

PAGE = "start"

cached.prepare_server()
state.pass_through(PAGE)
old_addresses.send_on(dict(st.query_params))
layout.head("Which data points matter?")
ways_in.welcome()
first, second, third = st.columns([37, 30, 33], gap="medium")
with first, ways_in.picture("explore", "Which digits stand out?"):
    digits.gallery_of_the_highest()
with second, ways_in.picture("agreement", "Do networks agree?"):
    # Now that the first digits are on their way: Altair and pandas take longer to import than those
    # took to draw.
    from pages.parts.start import charts

    charts.agreement()
with third, ways_in.picture("sampling", "Which labels are worth it?"):
    charts.labels()
ways_in.all_pages()
