"""Leverage Lab: the list of pages."""

import streamlit as st

st.set_page_config(page_title="Leverage Lab", page_icon="assets/icon.png", layout="wide")
pages = [
    st.Page("pages/explore.py", title="Explore", icon=":material/grid_view:", default=True),
    st.Page("pages/agreement.py", title="Agreement", icon=":material/apps:"),
    st.Page("pages/map.py", title="Map", icon=":material/bubble_chart:"),
    st.Page("pages/retrain.py", title="Retrain", icon=":material/model_training:"),
    st.Page("pages/active.py", title="Active", icon=":material/add_circle:"),
    st.Page("pages/influence.py", title="Influence", icon=":material/ads_click:"),
    st.Page("pages/trim.py", title="Trim", icon=":material/content_cut:"),
    st.Page("pages/simulations.py", title="Simulations", icon=":material/balance:"),
    st.Page("pages/data.py", title="Data", icon=":material/database:"),
    st.Page("pages/lesson.py", title="Lesson", icon=":material/school:"),
]
st.navigation(pages).run()
