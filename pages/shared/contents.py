"""The pages, grouped by what a reader wants: the navigation and the first page show them so."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A page: its file pages/<name>.py, which is its address too, its title, icon and question."""

    name: str
    title: str
    icon: str
    question: str

    @property
    def file(self) -> str:
        """As Streamlit calls the page, from the root."""
        return f"pages/{self.name}.py"


# The first page of the first section is the one that the bare address opens.
SECTIONS = {
    "Start": (
        Entry("start", "Overview", ":material/home:", "What is this?"),
        Entry("lesson", "Lesson", ":material/school:", "What is a leverage score?"),
    ),
    "See": (
        Entry("explore", "Explore", ":material/grid_view:", "Which points matter?"),
        Entry("map", "Map", ":material/bubble_chart:", "Where do they lie?"),
        Entry("agreement", "Agreement", ":material/apps:", "Do representations agree?"),
    ),
    "Try": (
        Entry("sampling", "Sampling", ":material/shopping_basket:", "Which labels are worth it?"),
        Entry("retrain", "Retrain", ":material/model_training:", "Do they train a better network?"),
        Entry("active", "Active", ":material/add_circle:", "Which would you label next?"),
    ),
    "Ask": (
        Entry("influence", "Influence", ":material/ads_click:", "What if one were not there?"),
        Entry("trim", "Trim", ":material/content_cut:", "Is it better without the worst?"),
    ),
    "Check": (
        Entry("simulations", "Simulations", ":material/balance:", "When does BAIT's weighing pay?"),
    ),
    "Bring": (Entry("data", "Data", ":material/database:", "What about your own data?"),),
}
PAGES = {entry.name: entry for entries in SECTIONS.values() for entry in entries}
FIRST = next(iter(PAGES))
