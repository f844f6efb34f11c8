"""Leverage Lab: the pages by section, and the server that `streamlit run` starts for them."""

import streamlit as st

from pages.shared import contents
from pages.shared.serving import at_home

if __name__ == "__main__":
    # The icon first: in its place st.navigation takes the page's own, from another server.
    st.set_page_config(page_icon="assets/icon.png", layout="wide")
    sections = {
        section: [
            st.Page(
                entry.file, title=entry.title, icon=entry.icon, default=entry.name == contents.FIRST
            )
            for entry in entries
        ]
        for section, entries in contents.SECTIONS.items()
    }
    page = st.navigation(sections, expanded=True)
    st.set_page_config(page_title=f"{page.title} · Leverage Lab")
    page.run()
else:  # `streamlit run` finds this line, imports it, and lets it run this file as the pages' script
    app = st.App(__file__, middleware=at_home.MIDDLEWARE, lifespan=at_home.with_browser)
