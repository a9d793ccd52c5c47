"""Which paths of a mapping lead to nothing in some documents: the first thing to look at in a new configuration."""

from mlvitals.formats.chunks import Chunk
from mlvitals.formats.documents import Document
from mlvitals.formats.fieldmap import FieldMap, Tests
from mlvitals.formats.jsonrows import BadRowError
from mlvitals.formats.paths import ANY, Path, spell_path


def unseen_paths(chunk: Chunk, fields: FieldMap) -> list[str]:
    """Return the mapped paths that lead to nothing in any document that is meant for us, each with its field.

    Of a field with several paths it is enough that one leads somewhere.
    """
    missing = dict(fields.single)
    missing |= {f"{prefix}*": tuple(one.path for one in wildcards) for prefix, wildcards in fields.wild}
    for value in chunk.objects()[0]:
        try:
            document = Document(value, fields)
            if _is_meant(document, fields):
                document.open_rows()
        except BadRowError:
            continue
        if not _is_meant(document, fields):
            continue
        rows = range(document.count)
        missing = {
            name: paths
            for name, paths in missing.items()
            if not any(_leads_somewhere(document, path, row) for path in paths for row in rows)
        }
        if not missing:
            break
    return [f"{name}: {', '.join(map(spell_path, paths))}" for name, paths in missing.items()]


def _is_meant(document: Document, fields: FieldMap) -> bool:
    halves: list[Tests] = []
    if fields.half is not None:
        halves = [tests for tests in (fields.half.request, fields.half.response) if tests is not None]
    return document.passes(fields.where) and (fields.half is None or any(map(document.passes, halves)))


def _leads_somewhere(document: Document, path: Path, row: int) -> bool:
    if ANY not in path:
        return document.value(path, row) is not None
    place = path.index(ANY)
    parent = document.value(path[:place], row)
    return isinstance(parent, dict) and any(
        document.value((*path[:place], name, *path[place + 1 :]), row) is not None for name in parent
    )
