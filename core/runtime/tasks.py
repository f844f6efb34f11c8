"""What workers can be asked to do, by name: "module:function", as `jobs.submit` takes it.

Only names stand here, so that whoever asks for a task need not import what carries it out. A test
finds every one of them, and no such name anywhere else.
"""

from __future__ import annotations

FETCH_DATASET = "core.pipeline:fetch_dataset"
SCORES = "core.pipeline:scores"
TEXTBOOK_SCORES = "core.pipeline:textbook_scores"
AGREEMENT = "core.pipeline:agreement_of"
MAP = "core.pipeline:map_of"
DOSSIER = "core.pipeline:dossier"
FIGURE = "core.exports.figures:render"
LEVERAGE_OF_FILE = "core.large.dask_rows:leverage_of_file"

UNIT = "core.experiments.plan:compute"

# What pages show beside an experiment.
REPLAY = "core.experiments.active.replay:compute"
REPLAY_MAP = "core.experiments.active.replay:mapped"
PLANE_BOUNDARIES = "core.experiments.trim.fi_simulations:boundaries"
PLANE_ACCURACIES = "core.experiments.trim.fi_simulations:accuracies"

# How fast a worker is, by what it is asked to do.
PRECISION = "core.models.training_speed:measure"
NETWORK_SPEED = "core.experiments.cost:measure"
CORE_SPEED = "core.experiments.cost:measure_core"
ROUNDS_SPEED = "core.experiments.active.speed:measure"
LABELING_SPEED = "core.experiments.simulations.run:measure"
HEADS_SPEED = "core.experiments.influence.units:measure"
TRIMMING_SPEED = "core.experiments.trim.plan:measure"
