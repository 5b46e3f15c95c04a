"""
Rows that contradict each other
===============================

Two passengers of the Titanic of the same class, sex and age; one survived, the other
did not. No model of any kind can be right about both, if these columns are all that it
is given. The certificate finds such rows, and says how much of the loss is theirs.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from skgoodmin import certify

folder = Path("examples") if Path("examples").is_dir() else Path()
table = pd.read_csv(folder / "titanic.csv").dropna()
table["sex"] = (table["sex"] == "male").astype(int)
table["embarked"] = table["embarked"].astype("category").cat.codes
table["age"] = table["age"].round()
y = table["survived"]

# %%
# ``certify`` takes the raw predictions of any model, here of gradient boosting, with
# one column more each time.

columns = ["pclass", "sex", "age", "sibsp", "parch", "embarked", "fare"]
certificates = []
for n in range(1, len(columns) + 1):
    X = table[columns[:n]].to_numpy(float)
    model = HistGradientBoostingClassifier(random_state=0).fit(X, y)
    certificates.append(certify(X, y, model.decision_function(X)))
    last = certificates[-1]
    print(
        f"+ {columns[n - 1]:9}{len(last.contradictions):5} rows contradict another; "
        f"loss {last.loss:.3f}, of which no model avoids {last.lower_bound:.3f}"
    )

# %%
# Left: every circle is a group of passengers who are equal in class, sex and age; the
# colour tells how many of them survived. Only groups in dark blue or dark red do not
# contradict themselves. Right: with more columns fewer rows are equal, and less of the
# loss is beyond help.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
groups = table.groupby(["pclass", "sex", "age"])["survived"].agg(["mean", "size"])
groups = groups.reset_index()
points = left.scatter(
    groups["age"],
    2 * groups["pclass"] + groups["sex"],
    s=14 * groups["size"],
    c=groups["mean"],
    cmap="RdBu",
    edgecolors="0.4",
    linewidths=0.5,
)
names = [f"{sex}, class {c}" for c in (1, 2, 3) for sex in ("women", "men")]
left.set_yticks(range(2, 8), names)
left.set(xlabel="age", ylim=(7.6, 1.4))
figure.colorbar(points, ax=left, label="share that survived")

bounds = np.array([certificate.lower_bound for certificate in certificates])
gaps = np.array([certificate.gap for certificate in certificates])
ticks = [f"+ {name}" if i else name for i, name in enumerate(columns)]
right.bar(ticks, bounds, color="0.6", label="rows that contradict each other")
right.bar(ticks, gaps, bottom=bounds, color="C0", label="what a model could gain")
right.set(ylabel="log-loss on the training rows")
right.tick_params(axis="x", rotation=45)
right.legend()
plt.show()
