"""The ward: each case is really broken, and the stated line mends it."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score

from transfer_lib.exercises import clinic
from transfer_lib.exercises.clinic_cases import CASES, HEALTHY

NUMBERS = range(1, len(CASES) + 1)
HOPELESS = "nothing to transfer"
NAMES = [found["cause"] for found in CASES]


@pytest.fixture(scope="module")
def well():
    return clinic.healthy()


def test_the_healthy_project_shows_no_sign(well):
    for found in CASES:
        if found["cause"] != "frozen BatchNorm moves":  # in the healthy one nothing is frozen
            assert not found["ill"](well), found["cause"]
    assert well.run.accuracy > 85 and well.one_batch() > 90
    assert 1.5 < well.first_loss() < 3.5


@pytest.mark.parametrize("number", NUMBERS, ids=NAMES)
def test_a_case_is_ill_and_the_stated_line_mends_it(number):
    patient, treated = clinic.case(number), clinic.treated(number)
    assert clinic.ill(patient)
    if patient.cause == HOPELESS:
        assert clinic.ill(treated) and not CASES[number - 1]["change"]
        return
    assert not clinic.ill(treated)
    assert patient.sources != treated.sources


@pytest.mark.parametrize("number", NUMBERS, ids=NAMES)
def test_only_one_thing_is_wrong(number):
    """The mended project differs in one function, by one change or two that belong together."""
    found = CASES[number - 1]
    assert len(found["change"]) <= 2 and set(found["broken"]) <= set(HEALTHY)
    patient, treated = clinic.case(number), clinic.treated(number)
    differ = [name for name in HEALTHY if patient.sources[name] != treated.sources[name]]
    assert len(differ) == (found["cause"] != HOPELESS)


def test_change_asks_for_one_place_and_for_python():
    patient = clinic.case(1)
    with pytest.raises(ValueError, match="'model' stands .* times.* Take more of the line"):
        patient.change("model", "net")
    with pytest.raises(ValueError, match="stands 0 times.* Did you mean 'loss.backward"):
        patient.change("loss.backwards()", "")
    with pytest.raises(ValueError, match="Nothing to replace"):
        patient.change("", "x")
    with pytest.raises(SyntaxError):
        patient.change("return loss", "return (loss")
    assert patient.sources == clinic.case(1).sources


def test_the_file_shows_two_curves_and_the_complaint(capsys):
    axes = clinic.case(1).file().axes[0]
    assert [line.get_label() for line in axes.lines] == ["healthy", "patient 1"]
    assert "Patient 1." in capsys.readouterr().out
    nan = clinic.case(NAMES.index("not a number in half precision") + 1).file()
    assert "%" in nan.axes[0].get_title()


def test_readings_for_learners_are_those_of_the_run(well):
    run = well.run
    assert well.moved() == {k: round(v, 2) for k, v in run.moved.items()}
    assert well.gradients()["last"]["head"] == pytest.approx(run.gradients[-1]["head"], rel=0.01)


def test_a_case_is_seeded_anew_with_the_same_fault():
    number = NAMES.index("softmax twice") + 1
    one, other = (clinic.case(number, seed) for seed in (0, 5))
    same = dataclasses.replace(one)  # nothing of it has run
    assert one.run.losses == same.run.losses != other.run.losses
    assert one.sources == other.sources and clinic.ill(other)


def test_a_function_of_the_learner_takes_the_place_of_the_broken_one():
    patient = clinic.case(NAMES.index("test prepared otherwise") + 1)
    mended = patient.mended(prepare=lambda x, x_test: (x / 16, x_test / 16))
    assert clinic.ill(patient) and not clinic.ill(mended)
    assert mended.run.accuracy > patient.run.accuracy
    with pytest.raises(ValueError, match="'prepair' is none of the functions load, prepare"):
        patient.mended(prepair=None)


def test_a_case_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no case 99; the ward has the cases 1 to"):
        clinic.case(99)


def test_tests_say_what_they_claim(well):
    x, y, x_test, y_test = well.prepared
    low, mean, high = well.inputs()["test"]
    assert (low, high) == (0.0, 1.0) and mean == pytest.approx(float(x_test.mean()), abs=0.01)
    assert well.training_labels() == [10] * 10 and well.twins() == 0
    run = well.run
    assert run.accuracy == pytest.approx(100 * accuracy_score(run.labels, run.predicted))
    weights = np.bincount(y_test, minlength=10) / len(y_test)
    assert sum(weights[k] * a for k, a in well.per_class().items()) == pytest.approx(
        run.accuracy, abs=1
    )
    assert run.moved["body"] > 0 and len(run.losses) == clinic.STEPS


def test_neither_weight_decay_nor_another_optimiser_cures_a_logarithm_of_zero():
    patient = clinic.case(NAMES.index("not a number in half precision") + 1)
    tips = {
        "L2": lambda model: torch.optim.Adam(model.parameters(), 1e-3, weight_decay=0.01),
        "SGD": lambda model: torch.optim.SGD(model.parameters(), 1e-3),
        "RMSprop": lambda model: torch.optim.RMSprop(model.parameters(), 1e-3),
    }
    for name, tip in tips.items():
        assert clinic.ill(patient.mended(optimiser=tip)), name


def test_twins_are_counted():
    patient = clinic.case(NAMES.index("duplicates in training and test") + 1)
    x, _, x_test, _ = patient.prepared
    expected = sum(any(torch.equal(image, other) for other in x) for image in x_test[:50])
    seen = {image.numpy().tobytes() for image in x}
    assert sum(image.numpy().tobytes() in seen for image in x_test[:50]) == expected
    assert patient.twins() >= 200


def test_twins_are_found_after_a_move_by_a_pixel():
    patient = clinic.case(NAMES.index("crops of one image in training and test") + 1)
    assert patient.twins() == 0 < patient.twins(moved=1)
    assert clinic.treated(patient.number).twins(moved=1) == clinic.healthy().twins(moved=1) == 0


def test_a_frozen_body_with_moving_statistics_reads_print_otherwise():
    number = NAMES.index("frozen BatchNorm moves") + 1
    patient, treated = clinic.case(number), clinic.treated(number)
    before = clinic.pretrained()
    *_, x, y = clinic.digits("font_digits")
    with torch.no_grad():
        reads = 100 * float((before(x / 16).argmax(1) == y).float().mean())
    assert treated.print_accuracy() == pytest.approx(reads)
    assert patient.print_accuracy() != pytest.approx(reads, abs=0.1)
    assert patient.run.moved["body"] == treated.run.moved["body"] == 0


def test_pretrained_is_a_copy_each_time():
    one, other = clinic.pretrained(), clinic.pretrained()
    with torch.no_grad():
        one.head.weight.zero_()
    assert other.head.weight.any() and clinic.pretrained().head.weight.any()


def test_show_prints_all_functions_and_not_the_cause(capsys):
    clinic.case(1).show()
    told = capsys.readouterr().out
    assert all(f"def {name}(" in told for name in HEALTHY) and "twice" not in told
