"""The jobs of this process as tests need them: none, one that stands there in some state, the
process of the local worker. Only here do tests reach into core/runtime/jobs.py.
"""

from __future__ import annotations

import subprocess

from core.runtime import jobs


def empty(monkeypatch) -> None:
    """No jobs, until the test ends."""
    monkeypatch.setattr(jobs._cluster, "jobs", {})


def put(job: jobs.Job) -> jobs.Job:
    """A job that this process knows, without anybody who computes it."""
    jobs._cluster.jobs[job.key] = job
    return job


def host() -> subprocess.Popen | None:
    """The process that was started for the local worker."""
    return jobs._cluster.process


def connected() -> bool:
    """Is there a connection to a worker or a scheduler?"""
    return jobs._cluster.client is not None
