"""The classifier."""

from collections.abc import Sequence
from numbers import Real
from os import PathLike
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from .estimator.classification import NetworkClassifier
from .estimator.fitting import TrainedNetwork
from .estimator.known import checked_classes
from .estimator.parameters import NETWORK
from .estimator.typing import MatrixLike
from .objective.losses import LOSSES
from .objective.losses.custom import METHODS, PointwiseLoss


class GoodMinimaClassifier(NetworkClassifier, TrainedNetwork):
    """Multilayer perceptron that tells how far it is from the best one.

    The network is trained by L-BFGS, and before that, if rows are many, by Adam, on

        mean_i s_i l(y_i, f(x_i)) + alpha/2 * (sum of the squared weights)

    and comes with a certificate: how far from the best network of any width it can be
    at most, and, where one is known, a neuron that would lower the objective: a unit
    of its own kind or, where alpha is 0, a special neuron a exp(w.x + b) [1]_.

    Parameters
    ----------
    hidden_layer_sizes : int, array-like of int or 'auto', default=(100,)
        Units of each hidden layer; ``()`` is a linear model. For ``training='grow'``
        the largest number of units, which 'auto' leaves open.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'softplus', 'silu'}, \
default='relu'
        Activation function of the hidden units.
    loss : {'poly_hinge', 'log_loss'} or object, default='poly_hinge'
        'poly_hinge' is max(0, 1 - margin)**degree, one class against the rest for
        several classes; the theorem behind the certificate is about this loss.
        'log_loss' is the logistic loss, softmax for several classes. An object is a
        loss of your own, with ``value``, ``derivative`` and ``minimum`` on raw
        predictions; see the how-to page "Add a loss".
    degree : float, default=3
        Degree of the polynomial hinge, at least 2.
    alpha : float or 'auto', default='auto'
        Strength of the L2 penalty on the weights (intercepts are free). It is added
        to the mean loss as ``alpha / 2 * sum(W**2)``, independent of the number of
        samples; ``MLPClassifier`` divides its ``alpha`` by that number. 'auto' is a
        mean of the best of six strengths, from 0.3 down to 0.001 (a quarter for
        log-loss), in four folds of short fits; see ``alpha_scores_``. ``n_fun_`` does
        not count them. Of more than 1000 distinct rows a sample decides, and strengths
        are multiplied by its share; classes of fewer than 4 are left out. Where that
        leaves less than a quarter of the rows, or one class, 'auto' is 20 over the
        number of rows, at most 0.2 (a quarter for log-loss). A warm start and
        ``partial_fit`` with the same loss keep it. The theorem speaks where it is 0.
    special_neuron : {'exponential', 'monomial'} or None, default='exponential'
        The special neuron of ``training='joint'``: a exp(w.x + b) or a (w.x + b)^p.
        Without weight decay escapes look for the exponential one in either case. None
        trains a plain network, without escapes, and leaves the search for an
        escape out of the certificate.
    neuron_placement : {'skip', 'per_layer'}, default='skip'
        Where special neurons stand: one beside the network, from input to output, or
        one in each hidden layer, all weights that leave it penalised by their power
        2L for L hidden layers. Escapes are scouted before the last hidden layer, or
        before all of them.
    neuron_degree : int or None, default=None
        Degree p of the monomial neuron; None takes the smallest one for which the
        theorem holds on the training rows. Too small a degree is a warning.
    neuron_alpha : float, default=1.0
        Strength of the penalty on the neuron's amplitude (lambda in the papers).
    training : {'escape', 'joint', 'grow'}, default='escape'
        'escape' trains the plain network; where it stalls, a scouted special neuron
        shows the way on, and the unit whose removal costs least is replaced by one in
        that direction. 'joint' trains the network together with the special neuron,
        literally as in [1]_, drops the neuron and goes on without it; this is
        measurably worse than no neuron. 'grow', for one hidden layer of relu and
        ``alpha > 0``, adds units as long as one lowers the objective, and solves the
        convex problem of all output weights in between: from any start to one
        objective, with as many units as it takes. ``n_init`` and ``max_escapes`` mean
        nothing to it; ``max_iter`` counts its rounds.
    tol_gap : float, default=1e-3
        Growing ends where the objective is no further above its estimated bound of
        networks of every width than this share of it. The certificate looks anew.
    n_init : int, default=1
        Number of random starts; the best one is kept. A start that reaches a global
        minimum ends the search.
    max_escapes : int, default=3
        Largest number of escapes from one start; none where weight decay leaves units
        idle, or where a unit more promises nothing. Small networks gain from more.
    n_jobs : int or None, default=None
        Starts that run at once, as in joblib, in threads. The result does not depend
        on it. Besides, a fit of many rows shares them among as many threads as BLAS
        may use (``threadpoolctl.threadpool_limits``, ``OMP_NUM_THREADS``).
    max_iter : int, default=1000
        Largest number of L-BFGS iterations of one run.
    max_fun : int, default=15000
        Largest number of evaluations of the objective in all runs together; scouts
        and Adam count by their flops. Growing looks at it between rounds only.
    tol : float, default=1e-4
        A run has converged when the largest component of the gradient is at most
        ``tol``, or when 10 iterations have lowered the objective by less than a share
        of itself (at the kinks of relu the gradient need not vanish): ``tol``, or of
        classes with a hidden layer, but for the hinge at alpha 0, one over the number
        of rows, from ``4 * tol`` to ``10 * tol``. 0 goes on while steps lower it.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes, as in scikit-learn. For multilabel targets a dict has
        the keys 0 and 1, and the weights of a row's labels are multiplied.
    early_stopping : bool, default=False
        Set ``validation_fraction`` of the rows aside (stratified), stop when the
        accuracy on them has not improved by ``tol`` for ``n_iter_no_change``
        iterations, and keep the best iterate, without escapes. Only for
        ``training='escape'``.
    validation_fraction : float, default=0.1
        Share of the (distinct) rows that is set aside.
    n_iter_no_change : int or inf, default=10
        Iterations without improvement before an early stop; with inf there is none,
        and the best iterate is kept.
    warm_start : bool, default=False
        Start from the parameters of the previous fit, without escapes: a model that
        has converged changes little. Growing starts from its units. Further starts are
        random. The ``fitted_estimator`` that callbacks get is then a checkpoint: its
        ``fit`` on the same data ends in the model of the fit that made it, bit for
        bit. It holds up to 256 MiB of values and gradients.
    cache_dir : str, path-like or None, default=None
        Folder on a disk for data larger than memory: ``fit`` writes the rows of a dense
        X, such as a ``numpy.memmap``, in the order in which it reads them, to a file
        without a name that goes with the fit. The model is the same, bit for bit.
    random_state : int, RandomState instance or None, default=None
        Source of starts, splits and scouts, but not of the folds that choose ``alpha``.
    verbose : bool or int, default=0
        1 prints a line for each start and each escape, in a terminal while it runs,
        and at last the objective and why the fit ended; 2 prints each iteration.

    Attributes
    ----------
    alpha_ : float
        The strength of the penalty that was used.
    alpha_reason_ : str
        How it was chosen; empty where it was given.
    alpha_scores_ : ndarray of shape (n_alphas,) or None
        Where the strength was chosen, what it was chosen from: the fields ``alpha``,
        ``score`` (accuracy + 3 mean log-likelihood of left-out rows, a mean over the
        folds) and ``error`` (its standard error). Of 100 distinct rows or more, three
        strengths are given up after the first fold and have no share in ``alpha_``:
        their ``error`` is NaN, their ``score`` as far from the best as it was there.
    link_slope_ : float or None
        Slope of the link to probabilities, fitted on the left-out rows: see
        :meth:`predict_proba`. None where alpha was given or rows were too few, or the
        loss is not 'poly_hinge': then the link is that of the loss.
    classes_ : ndarray of shape (n_classes,)
        Labels that y holds, on rows of weight 0, too; for multilabel their numbers.
    multilabel_ : bool
        Whether y was a matrix of labels.
    coefs_ : list of ndarray of shape (n_units_in, n_units_out)
        Weights of each layer.
    intercepts_ : list of ndarray of shape (n_units_out,)
        Intercepts of each layer.
    n_layers_ : int
        Number of layers, input and output included.
    n_outputs_ : int
        Number of outputs; 1 for two classes.
    out_activation_ : {'hinge', 'logistic', 'softmax', 'custom'}
        Link from raw predictions to probabilities.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had string names.
    n_iter_ : int
        Iterations of the run that ended in the result, the last one after escapes: a
        fit with ``n_iter_ < max_iter`` was not stopped by ``max_iter``. Those of all
        runs that led there are in ``loss_curve_``.
    n_fun_ : int
        Evaluations of the objective in all runs, scouts included by their flops.
    loss_ : float
        Objective (loss and penalty) reached; where X is float32, a sum in float32.
    loss_curve_ : ndarray of shape (n_points,)
        Objective at the start and after each iteration and escape of the start that
        was kept; right after an escape it may be higher than before.
    history_ : ndarray of shape (n_points,)
        All iterations of all starts, in the fields ``start``, ``escape`` (0 before the
        first one), ``n_fun`` (evaluations of this start) and ``objective``.
    n_escapes_ : int
        Escapes that led to the result.
    init_losses_ : ndarray of shape (n_starts,)
        What each start reached; fewer than ``n_init`` where one ended the search.
    best_init_ : int
        Number of the start that was kept.
    converged_ : bool
        Whether the solver has converged, see ``tol``.
    grad_norm_ : float
        Largest component of the gradient.
    neuron_coef_ : ndarray of shape (n_features,)
        w of the special neuron when it was dropped; this and the next two are NaN if
        it took no part. With one neuron per layer it is a list of arrays, whose last
        entries, but that of the lowest, are weights of the neuron below.
    neuron_intercept_ : float
        b of the special neuron; (n_hidden_layers,) with one per layer.
    neuron_amplitude_ : ndarray of shape (n_outputs,)
        a of the special neuron; with one per layer a list of their outgoing weights.
        Prediction never uses the neuron.
    neuron_degree_ : int
        Degree of the monomial neuron; 0 where there is none.
    certificate_ : Certificate
        What is proven about the result; ``print`` it, or read ``status``,
        ``loss``, ``lower_bound``, ``gap`` and ``witness``.
    optimality_gap_ : float
        ``certificate_.gap``: the objective less its largest proven lower bound.
    validation_scores_ : ndarray of shape (n_iterations,) or None
        Accuracy on the validation rows after each iteration, or at the start if there
        was none; None without ``early_stopping``.
    best_validation_score_ : float or None
        The largest of them; None without ``early_stopping``.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The same network with log-loss, trained by
        Adam, SGD or L-BFGS, without certificate.

    Notes
    -----
    The fit depends on the rows' content alone: not on their order, and a weight of 2
    is the same, bit for bit, as a repetition. A row of weight 0 is not trained on; the
    class that y gives it is one of ``classes_`` all the same. Where the rows that are
    left have one class, the network is constant.

    Ctrl-C ends the fit after the present iteration, with the best point so far, a
    ``ConvergenceWarning`` and, on the way down, the status ``STOPPED``; a second raises
    ``KeyboardInterrupt`` at once, and an earlier fit stays as it was. In a search, in
    cross-validation and in ensembles the first one stops the whole.

    With log-loss and ``alpha=0`` the theorem of [1]_ is silent, and the certificate
    says so. The lower bound and the gap hold all the same.

    References
    ----------
    .. [1] S. Liang, R. Sun, J. D. Lee, R. Srikant, "Adding One Neuron Can Eliminate
       All Bad Local Minima", NeurIPS 2018, arXiv:1805.08671.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from skgoodmin import GoodMinimaClassifier
    >>> X, y = make_moons(100, noise=0.1, random_state=0)
    >>> model = GoodMinimaClassifier((16,), alpha=0, random_state=0).fit(X, y)
    >>> model.score(X, y)
    1.0
    >>> model.certificate_.status.name
    'GLOBAL'
    """

    _parameter_constraints = NETWORK | {
        "loss": [
            StrOptions(set(LOSSES)),
            HasMethods(METHODS),
        ],
        "degree": [Interval(Real, 2, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: int
        | Sequence[int]
        | NDArray[np.integer]
        | Literal["auto"] = (100,),
        activation: str = "relu",
        *,
        loss: str | PointwiseLoss = "poly_hinge",
        degree: float = 3,
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
        class_weight: dict | Literal["balanced"] | None = None,
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
        self.degree = degree
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
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.cache_dir = cache_dir
        self.random_state = random_state
        self.verbose = verbose

    def partial_fit(
        self,
        X: MatrixLike,
        y: MatrixLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Go on from the present parameters, on these rows alone.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        classes : array-like of shape (n_classes,), default=None
            All class labels, in any order; needed at the first call if y lacks some.
            For multilabel the numbers of the columns, if they are given.

        Returns
        -------
        self : GoodMinimaClassifier

        Raises
        ------
        ValueError
            If a parameter or an array is not valid, or y has other classes than the
            first call; an earlier fit stays as it was.
        """
        previous = self if hasattr(self, "coefs_") else None
        known = checked_classes(classes, getattr(previous, "classes_", None))
        return self._fit(X, y, sample_weight, previous=previous, known=known)
