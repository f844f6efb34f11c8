"""Leverage Lab: the list of pages, and the server that `streamlit run` starts for them."""

import streamlit as st

from pages.shared.serving import at_home

if __name__ == "__main__":
    st.set_page_config(page_title="Leverage Lab", page_icon="assets/icon.png", layout="wide")
    pages = [
        st.Page("pages/explore.py", title="Explore", icon=":material/grid_view:", default=True),
        st.Page("pages/agreement.py", title="Agreement", icon=":material/apps:"),
        st.Page("pages/map.py", title="Map", icon=":material/bubble_chart:"),
        st.Page("pages/sampling.py", title="Sampling", icon=":material/shopping_basket:"),
        st.Page("pages/retrain.py", title="Retrain", icon=":material/model_training:"),
        st.Page("pages/active.py", title="Active", icon=":material/add_circle:"),
        st.Page("pages/influence.py", title="Influence", icon=":material/ads_click:"),
        st.Page("pages/trim.py", title="Trim", icon=":material/content_cut:"),
        st.Page("pages/simulations.py", title="Simulations", icon=":material/balance:"),
        st.Page("pages/data.py", title="Data", icon=":material/database:"),
        st.Page("pages/lesson.py", title="Lesson", icon=":material/school:"),
    ]
    st.navigation(pages).run()
else:  # `streamlit run` finds this line, imports it, and lets it run this file as the pages' script
    app = st.App(__file__, middleware=at_home.MIDDLEWARE, lifespan=at_home.with_browser)
