"""The regressor."""

from collections.abc import Sequence
from numbers import Real
from os import PathLike
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from .estimator.fitting import TrainedNetwork
from .estimator.parameters import NETWORK
from .estimator.regression import NetworkRegressor
from .estimator.typing import MatrixLike
from .objective.losses import TARGET_LOSSES
from .objective.losses.target_loss import TargetwiseLoss


class GoodMinimaRegressor(NetworkRegressor, TrainedNetwork):
    """Multilayer perceptron for regression that tells how far it is from the best.

    The network is trained by L-BFGS, and before that, if rows are many, by Adam, on

        mean_i s_i l(z_i, f(x_i)) + alpha/2 * (sum of the squared weights)

    with z = (y - mean) / (standard deviation) of y, and comes with a certificate: how
    far from the best network of any width it can be at most [1]_, [2]_. The units of y
    do not matter: ``fit(X, c * y + d)`` predicts c times as much, plus d, where ``d``
    leaves float64 the digits of ``c * y`` (see the how-to page "Regression").

    Parameters
    ----------
    hidden_layer_sizes : int, array-like of int or 'auto', default=(100,)
        Units of each hidden layer; ``()`` is a linear model, the one of ``Ridge`` with
        ``alpha`` times the sum of the weights of the rows. For ``training='grow'`` the
        largest number of units, which 'auto' leaves open.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'softplus', 'silu'}, \
default='relu'
        Activation function of the hidden units.
    loss : {'squared_error', 'huber'} or object, default='squared_error'
        'squared_error' is (f - z)^2 / 2. 'huber' is (f - z)^2 / (2 epsilon) up to an
        error of ``epsilon``, and goes on as a straight line of slope 1: rows that are
        far off pull no harder. An object is a loss of your own, with ``value`` and
        ``derivative`` on raw predictions and targets; see the how-to page "Add a loss".
    epsilon : float, default=0.5
        Error, in standard deviations of y, from which Huber's loss is a straight line.
    alpha : float or 'auto', default='auto'
        Strength of the L2 penalty on the weights (intercepts are free). It is added
        to the mean loss as ``alpha / 2 * sum(W**2)``, independent of the number of
        samples and of the units of y. 'auto' is found by short fits in four folds; see
        ``alpha_reason_``.
    special_neuron, neuron_placement, neuron_degree, neuron_alpha, training, tol_gap, \
n_init, max_escapes, n_jobs, max_iter, max_fun, tol
        See :class:`GoodMinimaClassifier`.
    early_stopping : bool, default=False
        Set ``validation_fraction`` of the rows aside, stop when R2 on them has not
        improved by ``tol`` for ``n_iter_no_change`` iterations, and keep the best
        iterate, without escapes. Only for ``training='escape'``.
    validation_fraction, n_iter_no_change, warm_start, cache_dir, random_state, verbose
        See :class:`GoodMinimaClassifier`.

    Attributes
    ----------
    y_mean_, y_scale_ : float or ndarray of shape (n_targets,)
        Weighted mean of y and its standard deviation, 1 where y is constant. The
        prediction is ``y_mean_ + y_scale_`` times the output of the network. The scale
        may be negative, as where y is skewed to the left: a fit of -y mirrors one of y.
    coefs_, intercepts_ : list of ndarray
        Of each layer; the network predicts standardised targets. ``to_mlp`` has them
        in units of y.
    loss_ : float
        Objective (loss and penalty) reached, of standardised targets. Of float32 rows
        it is a sum in float32; proven bounds are below ``certificate_.objective``.
    certificate_ : Certificate
        What is proven about the result; its ``unit`` restates it in units of y.
    validation_scores_ : ndarray of shape (n_iterations,) or None
        R2 on the validation rows after each iteration.
    alpha_, alpha_reason_, alpha_scores_, n_layers_, n_outputs_, out_activation_, \
n_features_in_, feature_names_in_, n_iter_, n_fun_, loss_curve_, history_, n_escapes_, \
init_losses_, best_init_, converged_, grad_norm_, neuron_coef_, neuron_intercept_, \
neuron_amplitude_, neuron_degree_, optimality_gap_, best_validation_score_
        See :class:`GoodMinimaClassifier`. A score of ``alpha_scores_`` is 1 - 2 mean
        loss of left-out rows, for the squared error their R2.

    See Also
    --------
    GoodMinimaClassifier : The same for classes.
    sklearn.neural_network.MLPRegressor : The same network, trained by Adam, SGD or
        L-BFGS, without certificate.

    Notes
    -----
    The fit depends on the rows' content alone: not on their order, and a weight of 2
    is the same, bit for bit, as a repetition. Standardised targets are rounded to
    multiples of 2^-24, which is what makes the fit the same in other units of y.

    References
    ----------
    .. [1] S. Liang, R. Sun, J. D. Lee, R. Srikant, "Adding One Neuron Can Eliminate
       All Bad Local Minima", NeurIPS 2018, arXiv:1805.08671.
    .. [2] K. Kawaguchi, L. P. Kaelbling, "Elimination of All Bad Local Minima in Deep
       Learning", AISTATS 2020, arXiv:1901.00279.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skgoodmin import GoodMinimaRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GoodMinimaRegressor(alpha=0.1, random_state=0).fit(scale(X), y)
    >>> bool(model.score(scale(X), y) > 0.5)
    True
    >>> bool(model.certificate_.relative_gap < 0.1)
    True
    """

    _parameter_constraints = NETWORK | {
        "loss": [StrOptions(set(TARGET_LOSSES)), HasMethods(["value", "derivative"])],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        hidden_layer_sizes: int
        | Sequence[int]
        | NDArray[np.integer]
        | Literal["auto"] = (100,),
        activation: str = "relu",
        *,
        loss: str | TargetwiseLoss = "squared_error",
        epsilon: float = 0.5,
        alpha: float | Literal["auto"] = "auto",
        special_neuron: Literal["exponential", "monomial"] | None = "exponential",
        neuron_placement: Literal["skip", "per_layer"] = "skip",
        neuron_degree: int | None = None,
        neuron_alpha: float = 1.0,
        training: Literal["escape", "joint", "grow"] = "escape",
        tol_gap: float = 1e-3,
        n_init: int = 1,
        max_escapes: int = 3,
        n_jobs: int | None = None,
        max_iter: int = 1000,
        max_fun: int = 15000,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        cache_dir: str | PathLike | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.epsilon = epsilon
        self.alpha = alpha
        self.special_neuron = special_neuron
        self.neuron_placement = neuron_placement
        self.neuron_degree = neuron_degree
        self.neuron_alpha = neuron_alpha
        self.training = training
        self.tol_gap = tol_gap
        self.n_init = n_init
        self.max_escapes = max_escapes
        self.n_jobs = n_jobs
        self.max_iter = max_iter
        self.max_fun = max_fun
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.cache_dir = cache_dir
        self.random_state = random_state
        self.verbose = verbose

    def partial_fit(
        self, X: MatrixLike, y: MatrixLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Go on from the present parameters, on these rows alone.

        The first call finds mean and scale of y, and ``alpha="auto"`` is that of the
        first one that could choose; later calls keep them. So begin with rows that are
        like all of them, not with a few.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.

        Returns
        -------
        self : GoodMinimaRegressor

        Raises
        ------
        ValueError
            If a parameter or an array is not valid; an earlier fit stays as it was.
        """
        previous = self if hasattr(self, "coefs_") else None
        known = None if previous is None else self._known
        self._fit(X, y, sample_weight, previous=previous, known=known)
        if known is not None:
            known.tell_of_units(y, sample_weight)
        return self
