"""Every option reaches what it names, and what a command does is what the API does with the same values."""

import os

import pytest
from plain_mode import needs_numba

from batik_scratch import explain, nn, report, study
from batik_scratch.bench import session, warmup
from batik_scratch.commands import gradient_report
from batik_scratch.learn import exercises
from batik_scratch.ops import jit

# ------------------------------------------------------------------ summary and gradcheck


@pytest.mark.parametrize(
    "options, shape, classes",
    [
        ([], (150, 150, 3), 3),
        (["--image-size", 41], (41, 41, 3), 3),
        (["--classes", 5, "--image-size", 37], (37, 37, 3), 5),
    ],
)
def test_summary_is_of_the_network_that_run_trains_at_that_size_with_so_many_classes(
    options, shape, classes, command, capsys
):
    printed = command(0, "summary", *options).out
    nn.paper_cnn(shape, classes, algorithm="auto").summary()  # as `run` makes it
    assert printed == capsys.readouterr().out


def test_summary_of_a_model_file_is_of_that_model(judge, command, capsys):
    printed = command(0, "summary", "--model", judge.file, "--classes", 7).out
    judge.model.summary()
    assert printed == capsys.readouterr().out and "(None, 30, 30, 32)" in printed


@pytest.mark.parametrize("right, code", [(True, 0), (False, 1)])
def test_gradcheck_prints_the_report_it_was_asked_for_and_its_exit_code_says_how_it_ended(right, code, command, noted):
    one = noted(gradient_report, "report", ("the table", right))
    museum = noted(gradient_report, "museum_report", ("the museum", right))
    for options, asked in ([], (None, None, False)), (["--layer", "Dense", "--thorough"], ("Dense", None, True)):
        assert command(code, "gradcheck", *options).out == "the table\n" and one[-1][0] == asked
    command(code, "gradcheck", "--model", "some.npz")
    assert [str(part) for part in one[-1][0]] == ["None", "some.npz", "False"] and museum == []
    assert command(code, "gradcheck", "--museum").out == "the museum\n" and len(one) == 3
    assert "--thorough" in command(2, "gradcheck", "--museum", "--thorough").err


@pytest.mark.parametrize("asked, so", [(None, "passive"), ("active", "active")])
def test_threads_sleep_between_the_passes_of_gradcheck_unless_the_user_wants_otherwise(
    asked, so, command, noted, monkeypatch
):
    noted(gradient_report, "report", ("the table", True))
    monkeypatch.setenv("OMP_WAIT_POLICY", asked or "")
    if asked is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    command(0, "gradcheck")
    assert os.environ["OMP_WAIT_POLICY"] == so


# ------------------------------------------------------------------ run


@pytest.fixture
def runs(noted, tmp_path):
    """Calls of run_two_stage, of resume_two_stage and of write_report, of which none does anything."""

    class Folder:
        path = tmp_path / "folder of the run"

    noted(report, "run_verdict", "the verdict")
    return (
        noted(study, "run_two_stage", Folder()),
        noted(study, "resume_two_stage", Folder()),
        noted(report, "write_report", tmp_path / "the page"),
    )


def test_run_hands_its_settings_to_the_study_and_the_folder_to_the_report(runs, tmp_path, command):
    (tmp_path / "c.toml").write_text("epochs = 9\nbatch_size = 5\nseed = 8\n")
    options = ["--config", tmp_path / "c.toml", "--data", "pictures", "--epochs", 4, "--image-size", 41, "--skip-bad"]
    words = ["run", *options, "--preset", "table1", "--out", tmp_path / "o", "--checkpoint-every", 3]
    assert command(0, *words).out == f"the verdict\nreport: {tmp_path / 'the page'}\n"
    started, resumed, reported = runs
    (config, out, line), more = started[0]
    expected = study.TwoStageConfig(
        preset="table1",
        stop_at_accuracy=0.0,
        data="pictures",
        epochs=4,
        batch_size=5,
        seed=8,
        image_size=41,
        skip_bad=True,
    )
    assert config == expected and out == tmp_path / "o" and more == {"checkpoint_every": 3}
    assert line == "batik-scratch " + " ".join(map(str, words))
    assert reported == [((tmp_path / "folder of the run",), {})] and resumed == []


@pytest.mark.parametrize(
    "options, changes",
    [
        ([], {}),
        (["--seed", 7], {"seed": 7}),
        (["--quick"], {"image_size": 48, "epochs": 20, "learning_rate": 0.0007, "difficulty": 0.0}),
        (["--quick", "--epochs", 3], {"image_size": 48, "epochs": 3, "learning_rate": 0.0007, "difficulty": 0.0}),
        (["--preset", "table1"], {"preset": "table1", "epochs": 100, "stop_at_accuracy": 0.0}),
        (["--preset", "default"], {}),
    ],
)
def test_what_run_is_not_told_stays_the_studys_default(options, changes, runs, tmp_path, command):
    command(0, "run", "--out", tmp_path / "o", *options)
    (config, _, _), more = runs[0][0]
    assert config == study.TwoStageConfig(**changes) and more == {"checkpoint_every": 1}


def test_what_a_file_sets_stays_where_no_flag_says_otherwise(runs, tmp_path, command):
    lines = ['data = "pictures"', "skip_bad = true", "epochs = 9", "seed = 8", "image_size = 41", 'preset = "table1"']
    (tmp_path / "c.toml").write_text("\n".join(lines))
    command(0, "run", "--config", tmp_path / "c.toml", "--out", tmp_path / "o")
    values = {"data": "pictures", "skip_bad": True, "epochs": 9, "seed": 8, "image_size": 41}
    assert runs[0][0][0][0] == study.TwoStageConfig(preset="table1", stop_at_accuracy=0.0, **values)


def test_resume_goes_on_in_that_folder_and_reports_it(runs, tmp_path, command):
    assert command(0, "run", "--resume", tmp_path / "r", "--checkpoint-every", 2).out.startswith(
        "the verdict\nreport: "
    )
    started, resumed, reported = runs
    assert resumed == [
        (
            (tmp_path / "r", f"batik-scratch run --resume {tmp_path / 'r'} --checkpoint-every 2"),
            {"checkpoint_every": 2, "accept_changes": False},
        )
    ]
    assert started == [] and len(reported) == 1


@pytest.mark.parametrize(
    "options, named",
    [
        (["--out", "o"], "--out"),
        (["--data", "d"], "--data"),
        (["--network", "cloth"], "--network"),
        (["--quick"], "--quick"),
        (["--preset", "table1"], "--preset"),
        (["--config", "c.toml"], "--config"),
        (["--epochs", 0], "--epochs"),
        (["--seed", 0], "--seed"),
        (["--image-size", 64], "--image-size"),
        (["--skip-bad", "--seed", 2], "--seed, --skip-bad"),
    ],
)
def test_resume_takes_no_other_settings_and_says_which_to_leave_out(options, named, runs, command):
    said = command(2, "run", "--resume", "r", *options)
    assert said.err.rstrip().endswith(f"leave out {named}") and runs == ([], [], [])


@pytest.mark.parametrize("number", [0, -1])
def test_checkpoints_every_no_epochs_are_refused(number, runs, command):
    assert (
        f"--checkpoint-every: needs a whole number of epochs >= 1, got {number}"
        in command(2, "run", "--checkpoint-every", number).err
    )
    assert runs == ([], [], [])


def test_train_takes_the_settings_of_a_run(command, noted, tmp_path):
    from batik_scratch.study import single

    calls = noted(single, "train_model", "the metrics")
    (tmp_path / "c.toml").write_text("dropout = 0.5\nseed = 8\n")
    options = ["--config", tmp_path / "c.toml", "--quick", "--seed", 9, "--preset", "table1", "--data", "pictures"]
    assert command(0, "train", *options, "--out", "x.npz").out == "the metrics\n"
    (config, out, _), more = calls[0]
    assert str(out) == "x.npz" and more == {"verbose": 1}
    quick = {"image_size": 48, "epochs": 20, "learning_rate": 0.0007, "difficulty": 0.0}
    said = {"preset": "table1", "stop_at_accuracy": 0.0, "seed": 9, "dropout": 0.5, "data": "pictures"}
    assert config == study.TwoStageConfig(**quick, **said)


# ------------------------------------------------------------------ saliency, bench, exercises


def test_saliency_of_images_hands_over_every_option(command, noted):
    calls = noted(explain, "explain_images", ["one", "two"])
    words = ["b.png", "a.png", "--model", "m.npz", "--method", "lrp", "--target", "kawung", "--out", "there"]
    assert command(0, "saliency", *words).out == "one\ntwo\n"
    model, paths, target, out, method = calls[0][0]
    assert [str(path) for path in (model, *paths, out)] == ["m.npz", "b.png", "a.png", "there"]
    assert (target, method) == ("kawung", "lrp")
    command(0, "saliency", "a.png", "--model", "m.npz")
    assert calls[1][0][2] == "predicted" and calls[1][0][4] == "gradient" and str(calls[1][0][3]) == "saliency"


def test_saliency_evaluate_hands_over_every_option_and_tells_whoever_waits(command, noted, capsys):
    calls = noted(explain, "evaluate_saliency", "the table")
    words = [
        "--evaluate",
        "--model",
        "m.npz",
        "--images",
        12,
        "--out",
        "there",
        "--control",
        "p.npz",
        "--control",
        "q.npz",
    ]
    assert command(0, "saliency", *words).out == "the table\n"
    model, out, method, count, controls, say = calls[0][0]
    assert [str(path) for path in (model, out, *controls)] == ["m.npz", "there", "p.npz", "q.npz"]
    assert (method, count) == ("all", 12)
    command(0, "saliency", "--evaluate", "--model", "m.npz", "--method", "lrp")
    assert calls[1][0][2:5] == ("lrp", 150, []) and str(calls[1][0][1]) == "saliency"
    say("working")
    assert capsys.readouterr().err == "working\n"


def test_saliency_needs_images_or_evaluate_and_not_both(command):
    for words in [], ["a.png", "--evaluate"]:
        said = command(2, "saliency", *words, "--model", "m.npz")
        assert "--evaluate" in said.err and "images" in said.err


def test_bench_hands_over_every_option(command, noted):
    calls, warmed = noted(session, "measure", "the tables"), noted(warmup, "compile_kernels", "compiled")
    words = ["--only", "PyTorch NCHW,Keras on TensorFlow", "--threads", "3,1", "--batch", 5, "--image-size", 41]
    assert (
        command(0, "bench", *words, "--rounds", 2, "--network", "cloth", "--out", "b.png").out == "the tables\n"
        and warmed == []
    )
    only, threads, batch, size, rounds, out, network = calls[0][0]
    assert only == ["PyTorch NCHW", "Keras on TensorFlow"] and threads == (3, 1)
    assert (batch, size, rounds, str(out), network) == (5, 41, 2, "b.png", "cloth")
    command(0, "bench")
    assert (
        calls[1][0][:5] == (None, None, 32, None, 7)
        and calls[1][0][6] == "paper"
        and str(calls[1][0][5]) == "bench.png"
    )
    assert command(0, "bench", "--warmup").out == "compiled\n" and len(calls) == 2


@pytest.mark.parametrize("right, code", [(True, 0), (False, 1)])
def test_exercise_check_prints_the_result_and_its_exit_code_is_the_verdict(right, code, command, noted):
    class Result:
        ok = right

        def __str__(self):
            return "the verdict"

    calls = noted(exercises, "check", Result())
    assert command(code, "exercise", "check", "dense.py", "--time-limit", 3.5).out == "the verdict\n"
    command(code, "exercise", "check", "relu.py")
    assert [(str(path), limit) for (path, limit), _ in calls] == [("dense.py", 3.5), ("relu.py", exercises.TIME_LIMIT)]


def test_exercise_hint_prints_the_hint_within_its_time(command, noted):
    calls = noted(exercises, "hint", "look closer")
    assert command(0, "exercise", "hint", "dense.py", "--time-limit", 3.5).out == "look closer\n"
    command(0, "exercise", "hint", "relu.py")
    assert [(str(path), limit) for (path, limit), _ in calls] == [("dense.py", 3.5), ("relu.py", exercises.TIME_LIMIT)]


def test_exercise_start_writes_the_stub_here_or_there_and_says_how_to_check_it(tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here, there = command(0, "exercise", "start", "relu").out, command(0, "exercise", "start", "relu", "there").out
    assert here.startswith("relu.py\n") and here.endswith("exercise check relu.py\n")
    assert there.startswith("there/relu.py\n") and there.endswith("exercise check there/relu.py\n")
    assert (tmp_path / "relu.py").read_bytes() == (tmp_path / "there" / "relu.py").read_bytes() != b""


def test_exercise_list_prints_the_table_of_exercises(command):
    assert command(0, "exercise", "list").out == f"{exercises.table()}\n"


def test_exercise_solution_prints_the_answer_and_nothing_after_it(command):
    assert command(0, "exercise", "solution", "softmax").out == exercises.solution(exercises.find("softmax"))


# ------------------------------------------------------------------ the first run


@needs_numba
@pytest.mark.parametrize("cold", [True, False])
def test_a_command_that_compiles_says_so_once_beside_its_output(cold, command, noted, monkeypatch, runs):
    monkeypatch.setattr(jit, "cache_is_cold", lambda: cold)
    noted(gradient_report, "report", ("done", True))
    noted(warmup, "compile_kernels", "done")
    for words in ["gradcheck"], ["bench", "--warmup"]:
        said = command(0, *words)
        assert said.err.count("compiling kernels") == said.err.count("\n") == int(cold)
        assert "compiling" not in said.out


COMPUTING = ["run", "train", "evaluate", "predict", "saliency", "gradcheck", "bench", "exercise check", "exercise hint"]


@pytest.fixture
def idle(noted, runs):
    """Every command that computes something does nothing."""
    from batik_scratch.study import answers, single

    for name in ("train_model", "evaluate_model"):
        noted(single, name, "done")
    noted(answers, "Answers", [])
    noted(explain, "explain_images", [])
    noted(gradient_report, "report", ("done", True))
    noted(session, "measure", "done")
    noted(exercises, "check", type("Right", (), {"ok": True})())
    noted(exercises, "hint", "done")


@pytest.mark.parametrize("reason", ["no numba here", None])
@pytest.mark.parametrize("name", COMPUTING)
def test_a_command_that_computes_says_once_in_one_line_that_it_runs_plain_and_why(
    name, reason, command, idle, monkeypatch
):
    monkeypatch.setattr(jit, "plain_reason", lambda: reason)
    monkeypatch.setattr(jit, "cache_is_cold", lambda: False)
    needs = {"run": "--out o", "evaluate": "--model m --data d", "predict": "i --model m", "saliency": "i --model m"}
    needs |= {"exercise check": "f", "exercise hint": "f"}
    said = command(0, *name.split(), *needs.get(name, "").split())
    assert said.err.count("\n") == (1 if reason else 0) and "plain" not in said.out
    assert not reason or ("plain" in said.err and said.err.endswith(f"{reason}\n"))
