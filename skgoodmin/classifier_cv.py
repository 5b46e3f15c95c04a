"""The classifier that chooses its own alpha."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .classifier import GoodMinimaClassifier
from .estimator.classification import NetworkClassifier
from .estimator.cross_validation import CrossValidatedNetwork
from .estimator.parameters import CROSS_VALIDATION
from .objective.losses.custom import PointwiseLoss


class GoodMinimaClassifierCV(NetworkClassifier, CrossValidatedNetwork):
    """Multilayer perceptron with built-in cross-validation over ``alpha``.

    In each fold the network is trained at the strongest penalty and goes on from there
    to the weaker ones, each time beside a random start, of which the better one is
    kept: a network that a strong penalty has shrunk to a constant does not come back.
    These fits are short: without escapes, of at most 20 iterations each, or 100 in a
    fold where 20 see next to nothing. The strength with the best mean score is used for
    a whole fit on all rows. All other parameters are those of
    :class:`GoodMinimaClassifier`, but for early stopping, ``warm_start`` and
    ``cache_dir``, which are not there, nor is ``partial_fit``.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=8
        Strengths of the L2 penalty to try, or how many of them, from 0.3 down to 0.001
        in equal ratios.
    hidden_layer_sizes, activation, loss, degree
        See :class:`GoodMinimaClassifier`.
    cv : int, cross-validation generator or iterable, default=None
        As in scikit-learn; None is stratified 5-fold. A generator of splits is used up
        by one fit.
    scoring : str, callable or None, default=None
        As in scikit-learn; None is the accuracy. Where it takes no ``sample_weight``
        that is a warning, and all rows count alike in the scores.
    n_jobs : int or None, default=None
        Folds that are trained at once, as in joblib.
    refit : bool, default=True
        Train on all rows with the best strength; without it there is no model, only
        the scores, and predictions raise ``NotFittedError``.
    special_neuron, neuron_placement, neuron_degree, neuron_alpha, training, tol_gap, \
n_init, max_escapes, max_iter, max_fun, tol, class_weight, random_state
        See :class:`GoodMinimaClassifier`.
    verbose : bool or int, default=0
        1 prints a line for each fit in a fold, the mean scores, and what
        :class:`GoodMinimaClassifier` prints of the fit on all rows; 2 a line for each
        start and escape in the folds, 3 one for each of their iterations.

    Attributes
    ----------
    alphas_ : ndarray of shape (n_alphas,)
        Strengths that were tried, strongest first.
    scores_ : ndarray of shape (n_folds, n_alphas)
        Score on the left-out rows.
    alpha_ : float
        The strength with the best mean score; of equal ones, the strongest. One with
        a score of NaN is left out, with a warning. If it is the strongest or weakest
        and better than the next one in every fold, there is a warning, too.
    alpha_scores_ : ndarray of shape (n_alphas,)
        Mean of each strength over the folds and its standard error, in the fields
        ``alpha``, ``score`` and ``error``.
    best_score_ : float
        Its mean score.
    link_slope_ : float or None
        Slope of the link to probabilities, fitted on the rows that the folds left out,
        each as often as it was, but for those with a class that their fold had no row
        of to learn from: see :meth:`predict_proba`. None where no row is left, or the
        loss is not 'poly_hinge'. Fits in the folds have the link of the loss, whatever
        ``scoring`` asks of them. Until alpha is chosen, raw predictions for these rows
        are kept, of every strength.
    classes_, coefs_, intercepts_, certificate_, ...
        Of the fit on all rows, as those of :class:`GoodMinimaClassifier`.

    See Also
    --------
    GoodMinimaClassifier : One fit with one strength.
    sklearn.linear_model.LogisticRegressionCV : The same idea for a linear model.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skgoodmin import GoodMinimaClassifierCV
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), GoodMinimaClassifierCV(random_state=0))
    >>> bool(model.fit(X, y)[-1].best_score_ > 0.95)
    True
    """

    _for_numbers = "use a regressor, GoodMinimaRegressorCV"
    _parameter_constraints = CROSS_VALIDATION | {
        name: GoodMinimaClassifier._parameter_constraints[name]
        for name in ("loss", "degree", "class_weight")
    }
    _single = GoodMinimaClassifier

    def __init__(
        self,
        hidden_layer_sizes: int
        | Sequence[int]
        | NDArray[np.integer]
        | Literal["auto"] = (100,),
        activation: str = "relu",
        *,
        alphas: int | Sequence[float] | NDArray[np.floating] = 8,
        loss: str | PointwiseLoss = "poly_hinge",
        degree: float = 3,
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
        class_weight: dict | Literal["balanced"] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.alphas = alphas
        self.loss = loss
        self.degree = degree
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
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose
