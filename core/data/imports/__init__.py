"""People's files: what is read from them, shown before it is kept, and joined to what is there.

read(content, name) -> Draft                what was found, with every fault and its mend
preview(draft) -> Preview                   what is in it, at a glance
ids_of(dataset) -> (n,)                     what a dataset's points are called
join(ids, draft) -> embedding, faults       a table joined to the points of these ids
"""

from core.data.imports.draft_preview import preview
from core.data.imports.join_by_id import ids_of, join
from core.data.imports.read_file import read

__all__ = ["ids_of", "join", "preview", "read"]
