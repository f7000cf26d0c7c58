"""The exercises of lesson 14: each patient named and mended in several ways, the triage in others.

Patients train when a check asks them to, so making the tables costs nothing.
"""

import numpy as np

import exercise_cases
from exercise_cases import Arguments
from transfer_lib.exercises import clinic, lesson_14
from transfer_lib.exercises.clinic_cases import CASES

OTHERWISE = {
    1: [("model(x[rows]).softmax(dim=1)", "model(x[rows])")],
    2: [("return x, x_test", "return x / x.max(), x_test / x.max()")],
    3: [("    model.train()\n", "")],
    4: [("    model.requires_grad_(False)\n", "")],
    5: [('"lr": 0.3', '"lr": 3e-4')],
    6: [("more = draw(y_test, 20)", "more = []")],
    7: [("sorted(names).index(name) for name in names", "i for i in range(10)")],
    8: [(".half()", ""), ("p.log()", "(p + 1e-9).log()")],
    11: [("16 - x_test", "x_test")],
    12: [("both.mean()", "x.mean()"), ("both.std()", "x.std()")],
    13: [("    optimizer.step()\n", "    optimizer.step()\n    optimizer.zero_grad()\n")],
    14: [("nn.Sequential(*sum(layers, []), nn.Linear(64, 10))", "nn.Linear(64, 10)")],
    15: [("torch.arange(i // 12 * 10, i // 12 * 10 + 10) % len(x)", "torch.randint(100, (32,))")],
    16: [("y[rows])", "y[rows], 1 / torch.bincount(y).sqrt())"),],
    17: [("untrained()", "pretrained().requires_grad_(True)")],
    18: [("    model.requires_grad_(False)\n", "")],
    19: [("model.body.parameters(), 1e-3", "model.parameters(), 2e-3")],
    20: [("rows = draw(y, 10)", "rows = np.random.permutation(draw(y, 10))"),
         ("torch.randperm(len(x), generator=torch.Generator().manual_seed(0))",
          "(torch.arange(len(rows))[:, None] + len(rows) * torch.arange(4)).flatten()")],
}  # fmt: skip
"""Changes that are not those of the solution and mend a patient, too."""


NUMBERS = [i for i in range(1, len(CASES) + 1) if i != lesson_14.SHOWN]


def otherwise(number):
    patient = clinic.case(number)
    for old, new in OTHERWISE[number]:
        patient = patient.change(old, new)
    return patient


def right(number):
    cause = CASES[number - 1]["cause"]
    if not CASES[number - 1]["change"]:
        return [Arguments([cause]), Arguments([cause, None]), Arguments([np.str_(cause)])]
    mended = clinic.treated(number), clinic.treated(number, 5), otherwise(number)
    return [Arguments([cause, one]) for one in mended]


def wrong(number):
    """Return wrong answers: another cause, a misspelt one, the patient as it was, a third one."""
    cause, ill = CASES[number - 1]["cause"], clinic.case(number)
    others = [found["cause"] for found in CASES if found["cause"] != cause]
    table = [
        (Arguments([others[number % 7], ill]), "healthy project"),
        (Arguments([cause + "s", ill]), f"Did you mean {cause!r}?"),
        (Arguments([number, ill]), "Name the cause as text"),
    ]
    if not CASES[number - 1]["change"]:
        return [*table, (Arguments([cause, ill]), "give the cause alone")]
    return [
        *table,
        (Arguments([cause, ill]), "But there is still"),
        (Arguments([cause, "softmax"]), "`patient.change(old, new)` returns"),
        (Arguments([cause, clinic.treated(number % 5 + 2)]), "But this is"),
    ][: None if number % 5 + 2 != number else -1]


def triage(patient):
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


def triage_by_signs(patient):
    """The signs of the ward itself, in the order of a careful doctor."""
    order = [6, 2, 8, 7, 9, 5, 4, 3, 1]
    causes = [CASES[i - 1]["cause"] for i in order]
    return next((cause for cause in causes if clinic.ill(patient, cause)), "healthy")


def triage_by_match(patient):
    losses = np.array(patient.run.losses)
    match (patient.twins(), patient.inputs()["training"], patient.run.moved):
        case (twins, _, _) if twins:
            return "duplicates in training and test"
        case (_, (_, _, high), _) if high > 1:
            return "wrong preprocessing"
        case _ if not np.isfinite(losses).all():
            return "not a number in half precision"
        case _ if losses[0] > 4:
            return "label order changed"
        case (_, _, {"body": 0, "statistics": far}) if far:
            seen = patient.run.gradients[-1]["body"]
            return ["frozen BatchNorm moves", "optimiser not rebuilt"][seen > 0]
        case (_, _, {"body": far}) if far > 50:
            return "rate too high"
        case _ if patient.run.accuracy < 20:
            return "nothing to transfer"
    return np.str_("softmax twice" if losses[-20:].mean() > 1 else "healthy")


def but(**changed):
    """Return a triage that says something else for some causes; underscores are blanks."""
    table = {name.replace("_", " "): said for name, said in changed.items()}
    return lambda patient: table.get(triage(patient), triage(patient))


RIGHT = {f"patient_{i}": right(i) for i in NUMBERS}
RIGHT["triage"] = [triage, triage_by_signs, triage_by_match]
WRONG = {f"patient_{i}": wrong(i) for i in NUMBERS}
WRONG["triage"] = [
    (lambda patient: "healthy", "A patient was called healthy. There is a loss that ends"),
    (lambda patient: 3, "Return a text"),
    (lambda patient: "softmax two times", "Did you mean 'softmax twice'?"),
    (but(healthy="softmax twice"), "A patient was called 'softmax twice' and has something else"),
    (but(optimiser_not_rebuilt="frozen BatchNorm moves"), "`patient.moved()` is"),
    (but(wrong_preprocessing="label order changed"), "`patient.first_loss()` is"),
    (but(wrong_preprocessing="healthy"), "There is highest values far from 1"),
]

test_right, test_wrong, test_complete = exercise_cases.tests("14", RIGHT, WRONG)


def test_a_cause_that_shows_the_same_sign_is_told_apart():
    """The frozen body of patient 2 looks as if it were frozen by accident."""
    verdict = lesson_14.patient_2.judge("frozen by accident", clinic.case(2))
    assert "It looks like 'frozen by accident'" in verdict.message
    assert "`patient.inputs()`" in verdict.message


def test_a_patient_that_is_mended_and_harmed_is_not_right():
    harmed = clinic.treated(6).change("x_test / 16", "x_test")
    verdict = lesson_14.patient_6.judge(harmed.cause, harmed)
    assert verdict.outcome == "not yet" and "are possible" in verdict.message


def test_an_error_of_the_mended_code_is_the_learners():
    verdict = lesson_14.patient_1.judge(
        "softmax twice", clinic.case(1).change("loss.backward()", "loss.backwards()")
    )
    assert verdict.outcome == "your code raised an error" and "backwards" in verdict.details


def test_hints_end_with_the_change():
    for number in NUMBERS:
        found = CASES[number - 1]
        hints = getattr(lesson_14, f"patient_{number}").hints
        assert found["sign"] in hints[0] and found["cause"] in hints[2]
        assert found["cause"] not in hints[0] + hints[1] and "``" not in hints[2]
        assert all(new.strip() in hints[2] for _, new in found["change"])


FALSE_MENDS = {
    2: [[("x, x_test\n", "x / 16, x_test\n")], [("x, x_test\n", "x / 255, x_test / 255\n")]],
    3: [[("    model.requires_grad_(False)\n", "")]],
    4: [
        [("i == 40", "i == 400")],
        [
            (
                "        model.requires_grad_(True)\n",
                "        model.requires_grad_(True)\n"
                "        optimizer = torch.optim.Adam(model.parameters(), 3e-3)\n",
            )
        ],
    ],
    5: [[('"lr": 0.3', '"lr": 3e-2')]],
    6: [[("draw(y_test, 20)", "draw(y_test, 1)")]],
    8: [[("4 * ", "")]],
    20: [[("[(0, 0), (0, 1), (1, 0), (1, 1)]", "[(0, 0)] * 4")]],
}
"""Changes that look like mending and leave the fault where it is."""


def test_what_only_looks_mended_is_not_right():
    for number, forms in FALSE_MENDS.items():
        for pairs in forms:
            patient = clinic.case(number)
            for old, new in pairs:
                patient = patient.change(old, new)
            verdict = getattr(lesson_14, f"patient_{number}").judge(patient.cause, patient)
            assert verdict.outcome == "not yet", (number, pairs, verdict)


def test_no_feedback_confirms_a_cause_that_is_wrong():
    """What would show is said with what is there; three pairs that a learner took for proofs."""
    for number, cause, words in [
        (1, "gradients vanish", "would show as a first gradient of the body below 0.001. That is"),
        (6, "crops of one image in training and test", "But something else does that"),
        (11, "test prepared otherwise", "That is not so: `patient.inputs()` is"),
        (8, "rate too high", "Where nothing is a number"),
    ]:
        verdict = getattr(lesson_14, f"patient_{number}").judge(cause, clinic.case(number))
        assert words in verdict.message, verdict


def test_a_patient_who_waits_does_not_tell():
    assert (
        lesson_14.triage.judge(lambda patient: patient.cause).outcome == "your code raised an error"
    )
    assert "cause" not in dir(clinic.case(1)) and "twins" in dir(clinic.case(1))


def test_a_check_without_an_answer_was_not_attempted():
    assert lesson_14.patient_1.judge().outcome == "not attempted"
    assert lesson_14.patient_9.task == "Name the cause."
