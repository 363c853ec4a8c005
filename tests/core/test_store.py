"""The store: one flipped byte is named, what is needed is kept, and object storage holds the same."""

from __future__ import annotations

import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recipes import written

from septet.cli.main import main
from septet.core import ConfigError, StoreError, adopt, lineage, recipe
from septet.core.runner import Runner
from septet.core.workspace import Settings, Workspace


@pytest.fixture
def made(tmp_path, workspace):
    return Runner(workspace).run(recipe.load(written(tmp_path)))


def flip(path, at: int) -> None:
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 0x01
    path.write_bytes(data)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.sampled_from(["raw", "big", "bigger", "count"]), record=st.booleans(), at=st.integers(0, 10_000))
def test_one_flipped_byte_anywhere_is_named(made, workspace, table, record, at):
    folder = workspace.store.folder(made[table])
    file = folder / ("record.json" if record else next(iter(made[table].files)))
    whole = file.read_bytes()
    flip(file, at)
    try:
        try:
            problems = [f"{one.where} {one.what}" for one in lineage.verify(workspace)]
        except StoreError as error:
            problems = [str(error)]
        assert any(made[table].fingerprint.partition(":")[2][:12] in one and file.name in one for one in problems), (
            problems
        )
    finally:
        file.write_bytes(whole)
    assert lineage.verify(workspace) == []


def test_missing_and_foreign_files_are_named(made, workspace, capsys):
    folder = workspace.store.folder(made["big"])
    (folder / "words.txt").rename(folder / "moved.txt")
    assert main(["verify", "--workspace", str(workspace.root)]) == 1
    said = capsys.readouterr().out
    assert "words.txt: is missing" in said
    assert "moved.txt: is not part of the artifact" in said


def test_a_lost_artifact_is_found_missing(made, workspace):
    import shutil

    shutil.rmtree(workspace.store.folder(made["big"]))
    assert any("gone from the store" in problem.what for problem in lineage.verify(workspace))


def test_gc_keeps_what_names_lead_to(tmp_path, made, workspace, capsys):
    Runner(workspace).run(recipe.load(tmp_path / "toy.toml", ["bigger.suffix=?"]))
    lost = {record.fingerprint for record in lineage.unreachable(workspace)}
    assert lost == {made["bigger"].fingerprint, made["count"].fingerprint}
    assert main(["gc", "--dry-run", "--workspace", str(workspace.root)]) == 0
    assert len(workspace.store.records()) == 6
    assert main(["gc", "--workspace", str(workspace.root)]) == 0
    assert len(workspace.store.records()) == 4
    assert lineage.verify(workspace) == []
    again = Runner(workspace).run(recipe.load(tmp_path / "toy.toml"))
    assert again["count"].digest == made["count"].digest
    assert lineage.verify(workspace) == []


def test_adopted_artifacts_are_copied_sealed_and_linked(tmp_path, workspace):
    from toy import Count, Words

    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "words.txt").write_text("from elsewhere")
    record = adopt.adopt(workspace, Words(tmp_path / "given"), "mine", "CC0-1.0", "a friend")
    assert adopt.adopt(workspace, Words(tmp_path / "given"), "mine", "CC0-1.0", "a friend") == record
    (tmp_path / "given" / "words.txt").write_text("changed after")
    path = written(tmp_path, '[up]\nstep = "toy.upper"\nwords = "@adopted/mine"\n')
    made = Runner(workspace).run(recipe.load(path))["up"]
    assert (workspace.store.folder(made) / "words.txt").read_text() == "FROM ELSEWHERE"
    assert lineage.verify(workspace) == []
    with pytest.raises(StoreError, match=r"is not a Count: it holds no count.txt"):
        adopt.adopt(workspace, Count(tmp_path / "given"), "wrong")
    with pytest.raises(ConfigError, match="cannot be a name"):
        adopt.adopt(workspace, Words(tmp_path / "given"), "a/b")


@pytest.fixture(params=["local", "s3"])
def storage(request, tmp_path, monkeypatch):
    """The URL of a bucket, and a file system to look into it: a folder, and a server that speaks the protocol of S3."""
    fsspec = pytest.importorskip("fsspec")
    if request.param == "local":
        yield f"local://{tmp_path}/bucket", fsspec.filesystem("local")
        return
    pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'septet[remote]'")
    server = pytest.importorskip("moto.server", reason="moto is not installed: pip install 'moto[server]'")
    served = server.ThreadedMotoServer("127.0.0.1", 0)
    served.start()
    host, port = served.get_host_and_port()
    for variable, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ACCESS_KEY_ID", "someone"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(variable, value)
    bucket = fsspec.filesystem("s3", use_listings_cache=False, skip_instance_cache=True)
    name = f"bucket-{port}"
    bucket.mkdir(name)
    yield f"s3://{name}", bucket
    type(bucket).clear_instance_cache()
    served.stop()


def test_object_storage_gives_back_what_a_machine_lost(tmp_path, storage):
    url, _ = storage
    path = written(tmp_path)
    with Workspace(tmp_path / "one", Settings(store=url)) as one:
        records = Runner(one).run(recipe.load(path))
    with Workspace(tmp_path / "two", Settings(store=url)) as two:
        seen = []
        again = Runner(two, sinks=[seen.append]).run(recipe.load(path))
        assert {name: record.digest for name, record in again.items()} == {n: r.digest for n, r in records.items()}
        assert not [event for event in seen if event.kind == "step_started"]
        assert lineage.verify(two) == []


def test_an_upload_without_its_record_does_not_exist(tmp_path, storage):
    url, bucket = storage
    path = written(tmp_path)
    with Workspace(tmp_path / "one", Settings(store=url)) as one:
        records = Runner(one).run(recipe.load(path))

    def place(step: str, table: str, name: str) -> str:
        return f"{url}/{step}/{records[table].fingerprint.replace(':', '-')}/{name}"

    bucket.rm_file(place("toy.upper", "big", "record.json"))
    with Workspace(tmp_path / "two", Settings(store=url)) as two:
        assert two.store.find("toy.upper", records["big"].fingerprint) is None
        damaged = place("toy.read", "raw", "words.txt")
        bucket.rm_file(damaged)
        bucket.pipe_file(damaged, b"damaged")
        with pytest.raises(StoreError, match="came damaged"):
            two.store.find("toy.read", records["raw"].fingerprint)
        assert not two.store.path("toy.read", records["raw"].fingerprint).exists()


def test_what_is_removed_is_gone_from_object_storage_too(tmp_path, storage):
    url, bucket = storage
    with Workspace(tmp_path / "one", Settings(store=url)) as one:
        records = Runner(one).run(recipe.load(written(tmp_path)))
        one.store.remove(records["count"])
        left = [name for name in bucket.find(url) if records["count"].fingerprint.partition(":")[2] in name]
        assert left == []
        assert one.store.find("toy.count", records["count"].fingerprint) is None


def test_sm3_workspaces_verify(tmp_path):
    import hashlib

    if "sm3" not in hashlib.algorithms_available:
        pytest.skip("this Python's OpenSSL has no SM3")
    with Workspace(tmp_path / "ws", Settings(digest="sm3")) as workspace:
        records = Runner(workspace).run(recipe.load(written(tmp_path)))
        assert all(record.digest.startswith("sm3:") for record in records.values())
        assert lineage.verify(workspace) == []


def test_a_workspace_that_is_a_file_or_not_writable_says_so(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="Choose another with --workspace"):
        Workspace(tmp_path / "file")
