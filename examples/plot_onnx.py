"""
The same model without scikit-learn
===================================

A pipeline becomes an ONNX graph, which onnxruntime evaluates in many languages, without
scikit-learn and without this package. Same probabilities, and less time for single
rows.
"""

from statistics import median
from timeit import repeat

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgoodmin.onnx
from skgoodmin import GoodMinimaClassifier

X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, _ = train_test_split(X.astype(np.float32), y, random_state=0)
model = make_pipeline(StandardScaler(), GoodMinimaClassifier(random_state=0)).fit(X, y)

# %%
# ``register`` teaches skl2onnx what our classifiers are.

skgoodmin.onnx.register()
graph = to_onnx(model, X[:1], options={"zipmap": False})
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
print(f"{len(graph.SerializeToString()) / 1024:.0f} KiB")

labels, probabilities = session.run(None, {"X": X_test})
expected = model.predict_proba(X_test)
print(f"same labels: {(labels == model.predict(X_test)).all()}")
print(f"probabilities differ by {np.abs(probabilities - expected).max():.1e} at most")

# %%
# How many times as long scikit-learn takes, by the number of rows in one call.


def seconds(predict):
    """Of a call, median of five."""
    predict()
    return median(repeat(predict, number=20, repeat=5)) / 20


sizes = [1, 10, 100, 1000]
ratios = []
for size in sizes:
    rows = np.resize(X_test, (size, X_test.shape[1]))
    here = seconds(lambda rows=rows: model.predict_proba(rows))
    there = seconds(lambda rows=rows: session.run(None, {"X": rows}))
    ratios.append(here / there)
    print(f"{size:5} rows: {ratios[-1]:.0f} times as long")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.plot([0, 1], [0, 1], color="0.8", zorder=0)
left.scatter(expected[:, 1], probabilities[:, 1], s=14)
left.set(xlabel="probability by scikit-learn", ylabel="by onnxruntime", aspect="equal")
right.bar([str(size) for size in sizes], ratios)
right.set(xlabel="rows in one call", ylabel="time of scikit-learn / onnxruntime")
plt.show()
