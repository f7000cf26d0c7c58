# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 06" engine="torch"
# # 14. The clinic
#
# Transfer projects seldom fail with an error message. They run, they learn something, and they are ill. Afterwards you
# can
#
# - say from a few cheap tests what is wrong with a project, before you read its code;
# - name nine faults, and mend eight of them;
# - tell a project that needs another line from one that nothing can help;
# - keep the tests as a function that examines your own projects.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("14")
ex = course.exercises

# %%
from tqdm.auto import tqdm

from transfer_lib import plots
from transfer_lib.claims import claim
from transfer_lib.exercises import clinic

# %% [markdown]
# ## 1. One of five is healthy
#
# Five people fine-tune the same network, which reads printed digits, on 100 scans. One project is healthy; each of the
# others has one fault. Predict from the picture which is healthy.

# %% tags=["hide-input", "nbval-ignore-output"]
five = clinic.five(course.seed)
plots.bars(
    {letter: patient.run.accuracy for letter, patient in five.items()},
    "Right, % of the test images",
    title="Five projects",
)

# %% [markdown]
# The four ill ones are in this ward.

# %%
ex.before("q_trust", "q_sure", "q_tips")

# %% [markdown]
# ## 2. What health looks like
#
# A project has five functions.

# %%
well = clinic.healthy(course.seed)
well.show()

# %% [markdown]
# Tests are made when you ask. The most useful:
#
# | Ask | It tells |
# |---|---|
# | `twins()` | how many test images are also training images |
# | `inputs()` | lowest, mean and highest value that the network gets |
# | `first_loss()` | the loss of the first step; near ln 10 = 2.30 with a new head |
# | `last_loss()` | the mean loss of the last steps; near 0 if all is learned by heart |
# | `numbers()` | how many of the 120 losses are numbers |
# | `moved()` | how far the weights of body and head went, and the running statistics of BatchNorm in the body |
# | `gradients()` | their norms in body and head, in the first and in the last step |
# | `one_batch()` | accuracy on twenty images after training on only those; a sound project learns them all |
# | `per_class()` | accuracy on the test images, class by class |
# | `print_accuracy()` | what the trained body, with its old head, still reads of print |

# %% tags=["nbval-ignore-output"]
print(well.twins(), well.inputs())
print(f"loss: first {well.first_loss():.2f}, last {well.last_loss():.2f}")
print(well.moved())
print(well.gradients())

# %% [markdown]
# ### How a visit goes
#
# First the file: what the owner says, and the loss beside the healthy one.

# %% tags=["nbval-ignore-output"]
patient = clinic.case(10, course.seed)
patient.file()

# %% [markdown]
# Training is perfect. What differs in the test? Ask for the inputs.

# %%
patient.inputs()

# %% [markdown]
# The test images go up to 16. `patient.show()` has the line, `return x / 16, x_test`. `change` makes the patient anew
# with other code in one place, and all tests can be asked again.

# %% tags=["nbval-ignore-output"]
mended = patient.change("x / 16, x_test", "x / 16, x_test / 16")
print(mended.inputs())
print(f"{patient.run.accuracy:.1f} % before, {mended.run.accuracy:.1f} % after")

# %% [markdown]
# The cause is called *test prepared otherwise*. A sign, a cause, a line. The causes known here:

# %%
clinic.CAUSES

# %% [markdown]
# ## 3. The ward
#
# For each patient: read the file, ask for tests in a cell of your own, then read the code with `patient.show()`. Name
# the cause and mend the line. Try to know the cause *before* you read the code.
#
# ### Exercise: patient 1

# %% tags=["nbval-ignore-output"]
patient = clinic.case(1, course.seed)
patient.file()

# %% exercise="14.patient_1"
cause = "softmax twice"  ### SOLUTION
mended = patient.change(".softmax(dim=1)", "")  ### SOLUTION

ex.patient_1.check(cause, mended)

# %% [markdown]
# ### Exercise: patient 2
#
# Two curves that look alike at the end. Compare the beginning, too.

# %% tags=["nbval-ignore-output"]
patient = clinic.case(2, course.seed)
patient.file()

# %% exercise="14.patient_2"
cause = "wrong preprocessing"  ### SOLUTION
mended = patient.change("return x, x_test", "return x / 16, x_test / 16")  ### SOLUTION

ex.patient_2.check(cause, mended)

# %% [markdown]
# ### Exercise: patient 3
#
# Ask also for `print_accuracy()`, here and mended. It need not be worse to be another body.

# %% tags=["nbval-ignore-output"]
patient = clinic.case(3, course.seed)
patient.file()

# %% exercise="14.patient_3"
cause = "frozen BatchNorm moves"  ### SOLUTION
mended = patient.change("model.train()", "model.eval()")  ### SOLUTION

ex.patient_3.check(cause, mended)

# %% [markdown]
# ### Exercise: patient 4
#
# Two tests together tell this one, neither alone.

# %% tags=["nbval-ignore-output"]
patient = clinic.case(4, course.seed)
patient.file()

# %% exercise="14.patient_4"
cause = "optimiser not rebuilt"  ### SOLUTION
mended = patient.change(" if p.requires_grad]", "]")  ### SOLUTION

ex.patient_4.check(cause, mended)

# %% [markdown]
# ### Exercise: patient 5

# %% tags=["nbval-ignore-output"]
patient = clinic.case(5, course.seed)
patient.file()

# %% exercise="14.patient_5"
cause = "rate too high"  ### SOLUTION
mended = patient.change('"lr": 0.3', '"lr": 1e-3')  ### SOLUTION

ex.patient_5.check(cause, mended)

# %% [markdown]
# ### Exercise: patient 6

# %% tags=["nbval-ignore-output"]
patient = clinic.case(6, course.seed)
patient.file()

# %% exercise="14.patient_6"
cause = "duplicates in training and test"  ### SOLUTION
mended = patient.change("draw(y_test, 20)", "draw(y_test, 0)")  ### SOLUTION

ex.patient_6.check(cause, mended)

# %% [markdown]
# ### Exercise: patient 7

# %% tags=["nbval-ignore-output"]
patient = clinic.case(7, course.seed)
patient.file()

# %% exercise="14.patient_7"
cause = "label order changed"  ### SOLUTION
mended = patient.change("sorted(names).index(name)", "names.index(name)")  ### SOLUTION

ex.patient_7.check(cause, mended)

# %% [markdown]
# ### Exercise: patient 8
#
# An article's tips: add L2, take Adam. Look where the first value that is no number *arises*. `half()` makes numbers of
# 16 bits: below 6e-8 they are 0. Several changes: `mended = mended.change(...)` for each.

# %% tags=["nbval-ignore-output"]
patient = clinic.case(8, course.seed)
patient.file()

# %% exercise="14.patient_8"
cause = "not a number in half precision"  ### SOLUTION
mended = patient
### BEGIN SOLUTION
mended = mended.change("softmax(dim=1).half()", "log_softmax(dim=1)")
mended = mended.change("p.log()", "p")
### END SOLUTION

ex.patient_8.check(cause, mended)

# %% [markdown]
# ### Exercise: patient 9
#
# Is `one_batch()` learned? Is the training set? If nothing can be mended, give the cause alone: `check(cause)`.

# %% tags=["nbval-ignore-output"]
patient = clinic.case(9, course.seed)
patient.file()

# %% exercise="14.patient_9"
cause = "nothing to transfer"  ### SOLUTION

ex.patient_9.check(cause)

# %% [markdown]
# ## 4. Triage
#
# ### Exercise: triage
#
# Ten new patients wait, the nine illnesses in other bodies and a healthy one. Return the cause, or `"healthy"`. Mind
# the order: several illnesses share a sign. To practise, `clinic.case(7, seed=5)` is patient 7 in another body.


# %% tags=["keep"] exercise="14.triage"
def triage(patient):
    """Return the cause of a patient's illness, one of the nine of the ward, or "healthy"."""
    ### BEGIN SOLUTION
    moved = patient.moved()
    if patient.twins() > 0:
        return "duplicates in training and test"
    if patient.inputs()["training"][2] > 2:
        return "wrong preprocessing"
    if patient.numbers() < 120:
        return "not a number in half precision"
    if patient.first_loss() > 3.5:
        return "label order changed"
    if moved["body"] > 8:
        return "rate too high"
    if moved["body"] == 0:
        unused = patient.gradients()["last"]["body"] > 0
        return "optimiser not rebuilt" if unused else "frozen BatchNorm moves"
    if patient.last_loss() > 1.2:
        return "softmax twice"
    return "nothing to transfer" if patient.run.accuracy < 15 else "healthy"
    ### END SOLUTION


ex.triage.check(triage)

# %% [markdown]
# One good order, as a tree. Where does yours differ? (`shift()`: the distance between the mean images of training
# and test. `twins(moved=1)` also counts copies moved by a pixel.)

# %% tags=["hide-input"]
TREE = [
    ("Is the test honest?", "twins(), twins(moved=1)", "duplicates, crops of one image"),
    (
        "Are the inputs those of the pretraining?",
        "inputs(), shift()",
        "wrong preprocessing, domain shift",
    ),
    ("Is every loss a number?", "numbers()", "not a number in half precision"),
    ("Is the first loss near ln(classes)?", "first_loss()", "label order changed"),
    ("Does it learn twenty images by heart?", "one_batch()", "frozen by accident, gradients"),
    (
        "Does what shall move, move, and only that?",
        "moved(), gradients()",
        "optimiser not rebuilt, rate, BatchNorm",
    ),
    ("Does the loss end near 0?", "last_loss()", "softmax twice, vanishing gradients"),
    ("Is each class learned?", "per_class()", "unequal classes, classes in order"),
    (
        "Is it better than chance, and than untrained?",
        "run.accuracy",
        "nothing to transfer, overfitting",
    ),
]
fig, ax = plots.figure(figsize=(10, 6))
ax.set(xlim=(0, 10), ylim=(-len(TREE), 0.6))
ax.axis("off")
for i, (question, test, causes) in enumerate(TREE):
    ax.text(0.1, -i, question, va="center", bbox={"boxstyle": "round", "fc": "white", "ec": "C0"})
    ax.text(4.6, -i, test, va="center", family="monospace", fontsize=9)
    ax.annotate("", (7.0, -i), (6.5, -i), arrowprops={"arrowstyle": "->", "color": "C1"})
    ax.text(7.1, -i, causes, va="center", color="C1")
    if i:
        ax.annotate("", (0.5, -i + 0.25), (0.5, -i + 0.75), arrowprops={"arrowstyle": "->"})
        ax.text(0.65, -i + 0.5, "yes", va="center", fontsize=8)
ax.text(6.4, 0.45, "no:", color="C1")
ax.text(0.1, -len(TREE) + 0.2, "yes: it is healthy, as far as this ward can tell", va="center")
fig

# %% [markdown]
# ## 5. What it cost
#
# Points of accuracy, mended over admitted, without 8, which learned nothing, and 9.

# %% tags=["hide-input", "nbval-ignore-output"]
costs = {}
for number in tqdm(range(1, 8)):
    sick, cured = clinic.case(number, course.seed), clinic.treated(number, course.seed)
    costs[f"{number}. {sick.cause}"] = cured.run.accuracy - sick.run.accuracy
plots.bars(costs, "Points of accuracy", title="What mending brings")

# %% [markdown]
# Most cost a few points, which nobody misses who has not seen the healthy project. One *gains* by its fault. Accuracy
# alone is a poor doctor. For other networks and labels:

# %% tags=["hide-input"]
for name in ("softmax", "inputs", "print-moves", "rebuilt", "print-lost", "twins"):
    claim(f"14.{name}")
for name in ("order", "tips", "hopeless"):
    claim(f"14.{name}")

# %% [markdown]
# Softmax twice costs nothing with some networks and many points with others. The statistics that moved under patient 3
# cost print hardly anything: scans resemble print. And the tips of the article: with L2, with SGD, with RMSprop patient
# 8 still ends without a number. A logarithm of zero is minus infinity, whatever optimiser comes after it.
#
# ## 6. The three questions of the beginning, and one more

# %%
ex.q_trust.ask(...)

# %%
ex.q_sure.ask(...)

# %%
ex.q_tips.ask(...)

# %%
ex.q_owner.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A fault can raise the accuracy: make sure first that the test is honest.
# - Cheap tests before reading code: twins, inputs, first loss, one batch, what moved.
# - A sign is not a cause. The body that does not move may be frozen, or forgotten by the optimiser; gradients tell.
# - If training is learned by heart and the test stays at chance, no line mends it. Say so.
#
# **Next:** [recommenders across domains](15_recommenders.ipynb), or the rest of the ward below.

# %% [markdown] tags=["optional"]
# ## Optional: the rest of the ward
#
# Ten more patients. Four more tests: `training_labels()` counts them by class, `shift()` is the distance between the
# means of training and test images, `gap()` the accuracy on 0 to 4 less that on 5 to 9, and `depends_on_test()` says
# whether other test images would change the training images.

# %% [markdown] tags=["optional"]
# ### Exercise: patient 11
#
# Look at images of both sides: `x, y, x_test, y_test = patient.prepared`, then `plt.imshow(x_test[0, 0])`.

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(11, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_11"
cause = "domain shift"  ### SOLUTION
mended = patient.change("x_test / 16", "1 - x_test / 16")  ### SOLUTION

ex.patient_11.check(cause, mended)

# %% [markdown] tags=["optional"]
# ### Exercise: patient 12
#
# Not every fault costs accuracy.

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(12, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_12"
cause = "scaler fitted on all"  ### SOLUTION
mended = patient.change("both = torch.cat([x, x_test])", "both = x")  ### SOLUTION

ex.patient_12.check(cause, mended)

# %% [markdown] tags=["optional"]
# ### Exercise: patient 13

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(13, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_13"
cause = "gradients never set to zero"  ### SOLUTION
mended = patient
### BEGIN SOLUTION
old = "    loss.backward()\n"
mended = mended.change(old, "    optimizer.zero_grad()\n    loss.backward()\n")
### END SOLUTION

ex.patient_13.check(cause, mended)

# %% [markdown] tags=["optional"]
# ### Exercise: patient 14

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(14, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_14"
cause = "gradients vanish"  ### SOLUTION
mended = patient.change("nn.Sigmoid()", "nn.ReLU()")  ### SOLUTION

ex.patient_14.check(cause, mended)

# %% [markdown] tags=["optional"]
# ### Exercise: patient 15

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(15, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_15"
cause = "classes in order"  ### SOLUTION
mended = patient
### BEGIN SOLUTION
old = "torch.arange(i // 12 * 10, i // 12 * 10 + 10) % len(x)"
mended = mended.change(old, "torch.randperm(len(x))[:32]")
### END SOLUTION

ex.patient_15.check(cause, mended)

# %% [markdown] tags=["optional"]
# ### Exercise: patient 16
#
# What can be done with the labels that there are?

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(16, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_16"
cause = "classes of unequal size"  ### SOLUTION
mended = patient
### BEGIN SOLUTION
old = "F.cross_entropy(model(x[rows]), y[rows])"
mended = mended.change(old, "F.cross_entropy(model(x[rows]), y[rows], 1 / torch.bincount(y))")
### END SOLUTION

ex.patient_16.check(cause, mended)

# %% [markdown] tags=["optional"]
# ### Exercise: patient 17
#
# It learns its ten images by heart; what would change the rest?

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(17, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_17"
cause = "overfitting"  ### SOLUTION
mended = patient.change("untrained()", "pretrained()")  ### SOLUTION

ex.patient_17.check(cause, mended)

# %% [markdown] tags=["optional"]
# ### Exercise: patient 18

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(18, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_18"
cause = "frozen by accident"  ### SOLUTION
mended = patient.change("grad = True", "grad_(True)")  ### SOLUTION

ex.patient_18.check(cause, mended)

# %% [markdown] tags=["optional"]
# ### Exercise: patient 19

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(19, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_19"
cause = "head not in the optimiser"  ### SOLUTION
mended = patient.change("model.body.parameters()", "model.parameters()")  ### SOLUTION

ex.patient_19.check(cause, mended)

# %% [markdown] tags=["optional"]
# ### Exercise: patient 20
#
# `twins(moved=1)` also counts images that are equal after a move by one pixel. This one needs two changes.

# %% tags=["optional", "nbval-ignore-output"]
patient = clinic.case(20, course.seed)
patient.file()

# %% tags=["optional"] exercise="14.patient_20"
cause = "crops of one image in training and test"  ### SOLUTION
mended = patient
### BEGIN SOLUTION
for old, new in [
    ("torch.randperm(len(x), generator", "torch.randperm(len(rows), generator"),
    (
        ".manual_seed(0))",
        ".manual_seed(0))\n    lot = (lot[:, None] + len(rows) * torch.arange(4)).flatten()",
    ),
]:
    mended = mended.change(old, new)
### END SOLUTION

ex.patient_20.check(cause, mended)

# %% [markdown]
# ## Sources
#
# - A. Karpathy (2019), [A recipe for training neural networks](https://karpathy.github.io/2019/04/25/recipe/)
# - S. Kapoor and A. Narayanan (2023), [Leakage and the reproducibility crisis](https://doi.org/10.1016/j.patter.2023.100804)
# - C. Zhang et al. (2017), [Understanding deep learning requires rethinking generalization](https://arxiv.org/abs/1611.03530)
# - S. Ioffe and C. Szegedy (2015), [Batch normalization](https://arxiv.org/abs/1502.03167)
# - P. Micikevicius et al. (2018), [Mixed precision training](https://arxiv.org/abs/1710.03740)
