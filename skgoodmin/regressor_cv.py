"""The regressor that chooses its own alpha."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .estimator.cross_validation import CrossValidatedNetwork
from .estimator.parameters import CROSS_VALIDATION
from .estimator.regression import NetworkRegressor
from .objective.losses.target_loss import TargetwiseLoss
from .regressor import GoodMinimaRegressor


class GoodMinimaRegressorCV(NetworkRegressor, CrossValidatedNetwork):
    """Multilayer perceptron for regression, cross-validated over ``alpha``.

    In each fold the network is trained at the strongest penalty and goes on from there
    to the weaker ones, each time beside a random start, of which the better one is
    kept. These fits are short: without escapes, of at most 20 iterations each, or 100
    in a fold where 20 see next to nothing. The strength with the best mean score is
    used for a whole fit on all rows. All other parameters are those of
    :class:`GoodMinimaRegressor`, but for early stopping, ``warm_start`` and
    ``cache_dir``, which are not there, nor is ``partial_fit``.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=8
        Strengths of the L2 penalty to try, or how many of them, from 0.3 down to 0.001
        in equal ratios.
    hidden_layer_sizes, activation, loss, epsilon
        See :class:`GoodMinimaRegressor`.
    cv : int, cross-validation generator or iterable, default=None
        As in scikit-learn; None is 5-fold. A generator of splits is used up by one fit.
    scoring : str, callable or None, default=None
        As in scikit-learn; None is R2. Where it takes no ``sample_weight`` that is a
        warning, and all rows count alike in the scores.
    n_jobs, refit, verbose
        See :class:`GoodMinimaClassifierCV`.
    special_neuron, neuron_placement, neuron_degree, neuron_alpha, training, tol_gap, \
n_init, max_escapes, max_iter, max_fun, tol, random_state
        See :class:`GoodMinimaClassifier`.

    Attributes
    ----------
    alphas_, scores_, alpha_, alpha_scores_, best_score_
        See :class:`GoodMinimaClassifierCV`.
    y_mean_, y_scale_, coefs_, intercepts_, certificate_, ...
        Of the fit on all rows, as those of :class:`GoodMinimaRegressor`.

    See Also
    --------
    GoodMinimaRegressor : One fit with one strength.
    sklearn.linear_model.RidgeCV : The same idea for a linear model.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skgoodmin import GoodMinimaRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GoodMinimaRegressorCV((10,), alphas=[0.3, 0.1], random_state=0)
    >>> bool(model.fit(scale(X), y).best_score_ > 0.4)
    True
    """

    _parameter_constraints = CROSS_VALIDATION | {
        name: GoodMinimaRegressor._parameter_constraints[name]
        for name in ("loss", "epsilon")
    }
    _of_single_rows = (
        ": a fold has one test row, of which there is no R2; give fewer folds, or "
        "scoring='neg_mean_squared_error'"
    )
    _single = GoodMinimaRegressor

    def __init__(
        self,
        hidden_layer_sizes: int
        | Sequence[int]
        | NDArray[np.integer]
        | Literal["auto"] = (100,),
        activation: str = "relu",
        *,
        alphas: int | Sequence[float] | NDArray[np.floating] = 8,
        loss: str | TargetwiseLoss = "squared_error",
        epsilon: float = 0.5,
        cv: Any = None,
        scoring: str | Callable[..., float] | None = None,
        n_jobs: int | None = None,
        refit: bool = True,
        special_neuron: Literal["exponential", "monomial"] | None = "exponential",
        neuron_placement: Literal["skip", "per_layer"] = "skip",
        neuron_degree: int | None = None,
        neuron_alpha: float = 1.0,
        training: Literal["escape", "joint", "grow"] = "escape",
        tol_gap: float = 1e-3,
        n_init: int = 1,
        max_escapes: int = 3,
        max_iter: int = 1000,
        max_fun: int = 15000,
        tol: float = 1e-4,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.alphas = alphas
        self.loss = loss
        self.epsilon = epsilon
        self.cv = cv
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.special_neuron = special_neuron
        self.neuron_placement = neuron_placement
        self.neuron_degree = neuron_degree
        self.neuron_alpha = neuron_alpha
        self.training = training
        self.tol_gap = tol_gap
        self.n_init = n_init
        self.max_escapes = max_escapes
        self.max_iter = max_iter
        self.max_fun = max_fun
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose
