"""Parting a batch by model: each model's rows as a batch of their own."""

import numpy as np
import pyarrow as pa

from mlvitals.events import canonical_text, column


def part_by_text(batch: pa.RecordBatch, name: str, absent: str) -> list[tuple[str, pa.RecordBatch]]:
    """Return the rows of each value of a column, in their order; nulls stand under `absent`.

    The rows are copied once, sorted by value, and the parts are slices of the copy: a batch of hundreds of models costs
    little more than one of a single model.
    """
    if not batch.num_rows:
        return []
    array = column(batch, name)
    if array is None:
        return [(absent, batch)]
    encoded = canonical_text(array)
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    texts = [absent if text is None else text for text in encoded.dictionary.to_pylist()] + [absent]
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    codes = np.array([places[text] for text in texts])[np.asarray(encoded.indices.fill_null(len(texts) - 1))]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(places)))])
    if (codes == codes[0]).all():
        return [(list(places)[codes[0]], batch)]
    ordered = batch.take(pa.array(np.argsort(codes, kind="stable")))
    return [
        (text, ordered.slice(bounds[place], bounds[place + 1] - bounds[place]))
        for text, place in places.items()
        if bounds[place + 1] > bounds[place]
    ]
