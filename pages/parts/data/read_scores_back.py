"""Scores back: a file that left here, chosen again; CSV comes with its manifest."""

from __future__ import annotations

import streamlit as st

from core.spec import Spec
from pages.parts.data import import_file
from pages.shared import cached, export_scores


def show(spec: Spec) -> None:
    """Choose the file, and see what it says beside what this app computes."""
    help = (
        "Its scores are shown as the file's and compared with what is computed here. Nothing of it"
        " is kept."
    )
    content, name = import_file.uploaded(
        "A file of scores that was taken out here", "back", help, ["parquet", "csv"]
    )
    if content is None:
        st.caption("Parquet as it is; CSV together with its manifest. Take scores out writes both.")
        return
    needed = name.lower().endswith(".csv")
    asked = (
        "Its manifest" if needed else "Its manifest, if another program has written the file anew"
    )
    manifest, _ = import_file.uploaded(
        asked, "manifest", "The file that ends in .manifest.json", ["json"]
    )
    if manifest is None and needed:
        st.info("A CSV file does not say what its columns are. Choose its manifest too.")
        return
    export_scores.read_in(
        name, content, manifest, spec=spec, data=cached.dataset(spec.dataset, spec.n, spec.subset)
    )
