"""Source trees to measure on, fetched by the name of their Debian package into the cache. The
machine's own package sources say from where; only their kind is changed to sources."""
import glob
import os
import pathlib
import re
import shutil
import subprocess

LINUX = "linux-source-6.1"


def cache():
    base = os.environ.get("GLOSS_CACHE") or os.path.expanduser("~/.cache/gloss-dev")
    folder = pathlib.Path(base) / "trees"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def source_lists(folder):
    """Options for apt-get: the machine's lists with their entries turned into source entries."""
    lists = folder / "apt"
    (lists / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (lists / "parts").mkdir(exist_ok=True)
    (lists / "none").touch()
    for path in ["/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*")]:
        if not os.path.exists(path):
            continue
        text = pathlib.Path(path).read_text(encoding="utf-8")
        if "debian" not in text and "ubuntu" not in text:
            continue
        text = re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.M)
        text = re.sub(r"^deb ", "deb-src ", text, flags=re.M)
        name = os.path.basename(path)
        (lists / "parts" / (name if name != "sources.list" else "main.list")).write_text(text, encoding="utf-8")
    return ["-o", f"Dir::Etc::sourcelist={lists / 'none'}", "-o", f"Dir::Etc::sourceparts={lists / 'parts'}",
            "-o", f"Dir::State::lists={lists / 'lists'}", "-o", "APT::Sandbox::User=root"]


def fetch_package(name, target, folder):
    """A version that is there: an archive may list one that it no longer has."""
    options = source_lists(folder)
    subprocess.run(["apt-get", *options, "update", "-qq"], check=True)
    said = subprocess.run(["apt-cache", *options, "showsrc", "--only-source", name], capture_output=True, text=True, check=True)
    work = folder / "work"
    for version in re.findall(r"^Version: (\S+)$", said.stdout, re.M):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        done = subprocess.run(["apt-get", *options, "source", "-qq", "--only-source", f"{name}={version}"], cwd=work,
                              capture_output=True, text=True, check=False)
        if done.returncode == 0:
            break
    else:
        raise SystemExit(f"the sources of {name} cannot be fetched: {done.stderr if said.stdout else 'no such package'}")
    (made,) = [p for p in work.iterdir() if p.is_dir()]
    made.rename(target)
    shutil.rmtree(work)


def fetch_binary(name, target, folder):
    """What a package installs: of a language that is not compiled, that is its source."""
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    subprocess.run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", name], cwd=work, check=True)
    (package,) = work.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", str(package), str(work / "root")], check=True)
    (work / "root").rename(target)
    shutil.rmtree(work)


def fetch_linux(name, target, folder):
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    subprocess.run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", name], cwd=work, check=True)
    (package,) = work.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", str(package), str(work / "root")], check=True)
    subprocess.run(["tar", "xf", str(work / "root" / "usr" / "src" / f"{name}.tar.xz"), "-C", str(work)], check=True)
    (work / name / ".gitignore").unlink()  # Debian's ends with a line that ignores everything
    (work / name).rename(target)
    shutil.rmtree(work)


def package(name, is_binary=False):
    """The folder of a package's sources (or of its files), fetched when they are not there yet."""
    folder = cache()
    target = folder / (name + "-installed" if is_binary else name)
    if not target.exists():
        print(f"fetching the sources of {name}", flush=True)
        fetch = fetch_binary if is_binary else fetch_linux if name == LINUX else fetch_package
        fetch(name, target, folder)
    return target


def subset(name, suffixes, folders=(".",)):
    """A tree of only those files, so that all who read it read the same. Remade when it is not there."""
    target = cache() / f"{name}-{'-'.join(s.lstrip('.') for s in suffixes)}{'-part' if folders != ('.',) else ''}"
    if target.exists():
        return target
    source = package(name)
    making = target.with_name(target.name + ".new")
    shutil.rmtree(making, ignore_errors=True)
    for folder in folders:
        for path in sorted((source / folder).rglob("*")):
            relative = path.relative_to(source)
            hidden = any(part.startswith(".") for part in relative.parts)
            if path.suffix in suffixes and path.is_file() and not path.is_symlink() and not hidden:
                (making / relative).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, making / relative)
    making.rename(target)
    return target


def size(folder):
    """(files, bytes)"""
    files = [p for p in pathlib.Path(folder).rglob("*") if p.is_file()]
    return len(files), sum(p.stat().st_size for p in files)
