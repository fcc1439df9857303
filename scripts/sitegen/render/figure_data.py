"""The data that the interactive figures use, as a JavaScript module: nobody types flowers in."""

import json

from nn_tutorial import iris


def module() -> str:
    """Return the text of ``figures/data.js``: Iris in centimetres, in the book's split."""
    flowers = iris(seed=0)
    parts = {
        name: [[round(float(value), 1) for value in row] for row in x]
        for name, x in (("train", flowers.x_train), ("validation", flowers.x_val))
    }
    labels = {"train": flowers.y_train.tolist(), "validation": flowers.y_val.tolist()}
    content = {
        "x": parts,
        "labels": labels,
        "species": list(flowers.class_names),
        "features": list(flowers.feature_names),
    }
    return f"export const iris = {json.dumps(content, separators=(',', ':'))};\n"
