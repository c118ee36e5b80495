# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used by those who source it
# SPDX-License-Identifier: GPL-2.0
#
# Settings and helpers that the other scripts share.
# Source it first: . "$(dirname "$0")/lib.sh"

set -euo pipefail

me=${0##*/}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$(realpath -m "${BUILD:-$root/build}")
cache=$(realpath -m "${PIDFD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pidfd-config}")
linux=$build/linux
verbose=${V:-0}
jobs=${J:-$(nproc)}

series=7.3
rustc_min=1.85.0
bindgen_min=0.71.1
bindgen_version=0.73.2
llvm_min=17
# virtme-ng boots; spdxcheck.py, which checkpatch calls, imports the others.
venv=$cache/venv
venv_packages=(virtme-ng==1.42 ply==3.11 GitPython==3.1.44)

# The directories of a kernel tree that this repository adds files to. Its
# scripts/ is its own: the kernel's is changed by patches alone.
overlay_dirs=(arch block Documentation fs include init io_uring ipc kernel lib
	mm net rust samples security tools)

crate=$root/userspace/pidfd-builder

# Nothing that was meant for this repository's make, or for another kernel,
# may reach the makes that the scripts start.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL GNUMAKEFLAGS
unset ARCH CROSS_COMPILE KBUILD_OUTPUT KCFLAGS LLVM O CC HOSTCC
export BUILD=$build PIDFD_CACHE=$cache
export LC_ALL=C.UTF-8
export CARGO_TARGET_DIR=$build/cargo
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
PATH=$PATH:/usr/sbin:/sbin

say()
{
	printf '%s\n' "$*"
}

note()
{
	[[ $verbose != 1 ]] || printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "$me" "$*" >&2
	exit 1
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

# version_ge A B: true if version A is at least B.
version_ge()
{
	[[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]
}

# logged WHAT LOG COMMAND...: run a command that may take long, with its
# output in LOG, and say every 30 seconds how many lines of it there are.
logged()
{
	local what=$1 log=$2 begin=$SECONDS ticker status=0
	shift 2

	mkdir -p "${log%/*}"
	if [[ $verbose == 1 ]]; then
		"$@" 2>&1 | tee "$log"
		return
	fi
	: >"$log"
	tick "$what" "$log" &
	ticker=$!
	"$@" >"$log" 2>&1 || status=$?
	kill "$ticker" 2>/dev/null || true
	wait "$ticker" 2>/dev/null || true
	if [[ $status -eq 0 ]] && ((SECONDS - begin >= 5)); then
		say "$what: done in $((SECONDS - begin)) s"
	fi
	return "$status"
}

tick()
{
	local what=$1 log=$2 begin=$SECONDS

	while sleep 30 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
		say "$what: $(wc -l <"$log") steps in $((SECONDS - begin)) s"
	done
}

# failed WHAT LOG: the first errors in LOG, then the end.
failed()
{
	local what=$1 log=$2 errors

	errors=$(grep -nE '(^|[^a-z_])(error|fatal|undefined)(\[E[0-9]+\])?:|Error [0-9]+$|undefined (reference|symbol)|No space left' \
		"$log" | head -n 20 || true)
	if [[ -n $errors ]]; then
		printf '%s\n' "$errors" >&2
	else
		tail -n 20 "$log" >&2
	fi
	die "$what failed: see $log"
}

# stamped FILE TEXT: true if FILE holds just TEXT.
stamped()
{
	[[ -f $1 && $(<"$1") == "$2" ]]
}

# llvm: set llvm_suffix and LIBCLANG_PATH for the clang to be used, or return 1.
llvm()
{
	local v bin

	for v in '' -22 -21 -20 -19 -18 -17; do
		if ! have "clang$v" || ! have "ld.lld$v" || ! have "llvm-ar$v"; then
			continue
		fi
		(($(clang_major "clang$v") >= llvm_min)) || continue
		bin=$(realpath "$(command -v "clang$v")")
		LIBCLANG_PATH=$(libclang "${bin%/bin/*}") || continue
		export LIBCLANG_PATH
		llvm_suffix=$v
		return 0
	done
	return 1
}

clang_major()
{
	"$1" -dumpversion | cut -d . -f 1
}

# libclang PREFIX: the directory of the libclang.so that belongs to PREFIX.
libclang()
{
	local so

	for so in "$1"/lib/libclang.so* "$1"/lib/libclang-*.so* "$1"/lib64/libclang.so* \
		/usr/lib/*-linux-gnu/libclang-"$(clang_major "$1/bin/clang")".so*; do
		if [[ -e $so ]]; then
			printf '%s\n' "${so%/*}"
			return 0
		fi
	done
	return 1
}

rustc_version()
{
	rustc --version | cut -d ' ' -f 2
}

# bindgen_path: the directory of a bindgen that is new enough, or return 1.
bindgen_path()
{
	local bin

	for bin in "$(command -v bindgen || true)" "$cache/cargo/bin/bindgen"; do
		[[ -x $bin ]] || continue
		if version_ge "$("$bin" --version | cut -d ' ' -f 2)" "$bindgen_min"; then
			printf '%s\n' "${bin%/*}"
			return 0
		fi
	done
	return 1
}

# rust_src_path: the source of the standard library of rustc, or return 1.
rust_src_path()
{
	local dir version

	version=$(rustc_version)
	for dir in "$(rustc --print sysroot)/lib/rustlib/src/rust/library" \
		"/usr/src/rustc-$version/library" \
		"$cache/rust-src/usr/src/rustc-$version/library"; do
		if [[ -f $dir/core/src/lib.rs ]]; then
			printf '%s\n' "$dir"
			return 0
		fi
	done
	return 1
}

# kernel_env: what every make in the kernel tree needs. Sets kmake.
kernel_env()
{
	local bindgen rust_src

	llvm || die "no clang $llvm_min or newer with lld, llvm and libclang: run make tools"
	bindgen=$(bindgen_path) || die "no bindgen $bindgen_min or newer: run make tools"
	rust_src=$(rust_src_path) ||
		die "no standard library source of rustc $(rustc_version): run make tools"
	kmake=(env -u BUILD -u V "PATH=$bindgen:$PATH" "RUST_LIB_SRC=$rust_src"
		"CCACHE_DIR=$cache/ccache" "CCACHE_BASEDIR=$build" CCACHE_NOHASHDIR=1
		KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_VERSION=1
		KBUILD_BUILD_USER=pidfd-config KBUILD_BUILD_HOST=localhost
		make -C "$linux" "LLVM=${llvm_suffix:-1}" "CC=ccache clang$llvm_suffix"
		LOCALVERSION= -j "$jobs")
}

# toolchain: one line that changes when the compilers do.
toolchain()
{
	printf '%s; %s\n' "$("clang$llvm_suffix" --version | head -n 1)" \
		"$(rustc --version)"
}

# overlay_files: the kernel files that this repository adds, by their path.
overlay_files()
{
	local dir dirs=()

	for dir in "${overlay_dirs[@]}"; do
		[[ ! -d $root/$dir ]] || dirs+=("$dir")
	done
	((${#dirs[@]})) || return 0
	if [[ -e $root/.git ]]; then
		# Not those that are deleted but still in the index.
		git -C "$root" ls-files -co --exclude-standard -- "${dirs[@]}" |
			while IFS= read -r f; do
				[[ ! -f $root/$f ]] || printf '%s\n' "$f"
			done | sort -u
	else
		(cd "$root" && find "${dirs[@]}" -type f ! -name '*.o' ! -name '*~' | sort)
	fi
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# private_apt SUITE COMMAND...: apt-get or apt-cache with one suite of the Debian
# archive $mirror as the only source, and no trace in the system's own state.
private_apt()
{
	local suite=$1 command=$2 dir
	shift 2

	dir=$cache/apt/$suite
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/empty"
	[[ -f $dir/status ]] || : >"$dir/status"
	printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" \
		>"$dir/sources.list"
	"$command" -qq -o "Dir::Etc::sourcelist=$dir/sources.list" \
		-o "Dir::Etc::sourceparts=$dir/empty" \
		-o Dir::Etc::preferences=/dev/null -o "Dir::Etc::preferencesparts=$dir/empty" \
		-o "Dir::State::lists=$dir/lists" -o "Dir::State::status=$dir/status" \
		-o "Dir::Cache=$dir" -o APT::Sandbox::User= -o Acquire::Retries=2 \
		-o Acquire::Languages=none "$@"
}

# debian_mirror: set mirror to DEBIAN_MIRROR, or to the first Debian archive that
# the system's own apt sources name.
debian_mirror()
{
	local uri files=()

	if ! have apt-get || ! have dpkg; then
		die 'no apt-get and dpkg to use the Debian archive with: set KERNEL_SRC to a tree of your own'
	fi
	[[ -f $keyring ]] || die "no $keyring: install the package debian-archive-keyring"
	mirror=${DEBIAN_MIRROR:-}
	mirror=${mirror%/}
	[[ -z $mirror ]] || return 0
	for uri in /etc/apt/sources.list /etc/apt/sources.list.d/*.{sources,list} \
		/etc/apt/mirrors/*.list; do
		[[ ! -r $uri ]] || files+=("$uri")
	done
	uri=$([[ ${#files[@]} -eq 0 ]] ||
		sed 's/#.*//' "${files[@]}" | grep -oE 'https?://[^] ]*/debian/?( |$)' |
		head -n 1 || true)
	uri=${uri%% *}
	[[ -n $uri ]] ||
		die 'no Debian archive in the apt sources: set DEBIAN_MIRROR=<address of a mirror, up to /debian>'
	mirror=${uri%/}
}
