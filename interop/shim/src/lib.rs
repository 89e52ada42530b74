//! Preloaded (`LD_PRELOAD`) into a server, this library stands between it and its disk.
//!
//! `GRANTOR_SHIM_FOLDER`: what happens to files below this folder is seen, and nothing else.
//! `GRANTOR_SHIM_LOG`: each change and each sync is written down there, in the order in which it happened, so that the
//! state of the disk after a loss of power at any moment can be made from it.
//! `GRANTOR_SHIM_FAULT`: while this file holds a word, the disk fails: `enospc` (full), `erofs` (read-only), `eio-write`,
//! `eio-sync`.
//!
//! A record: kind (1 byte), length of the path (4 bytes), length of the data (4 bytes), offset (8 bytes), all little-endian,
//! then path and data. A change is written down before it is made, a sync after it has succeeded: so whatever was
//! acknowledged stands behind its sync.

#![cfg(target_os = "linux")]

use libc::{c_char, c_int, c_void, mode_t, off_t, size_t, ssize_t};
use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::sync::OnceLock;

const WRITE: u8 = 1;
const TRUNCATE: u8 = 2;
const SYNC: u8 = 3;
const CREATE: u8 = 4;
const UNLINK: u8 = 5;
const RENAME: u8 = 6;
const LINK: u8 = 7;

struct Shim {
    folder: Vec<u8>,
    log: Option<c_int>,
    fault: Option<CString>,
}

fn shim() -> Option<&'static Shim> {
    static SHIM: OnceLock<Option<Shim>> = OnceLock::new();
    SHIM.get_or_init(|| {
        let folder = std::env::var_os("GRANTOR_SHIM_FOLDER")?.into_vec();
        let log = std::env::var_os("GRANTOR_SHIM_LOG").and_then(|path| open_log(&path));
        let fault = std::env::var_os("GRANTOR_SHIM_FAULT").and_then(|path| CString::new(path.into_vec()).ok());
        Some(Shim { folder, log, fault })
    })
    .as_ref()
}

fn open_log(path: &OsString) -> Option<c_int> {
    let path = CString::new(path.as_bytes()).ok()?;
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND | libc::O_CLOEXEC;
    // SAFETY: the path ends with a zero and lives until the call is over.
    let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0o600) };
    c_int::try_from(fd).ok().filter(|fd| *fd >= 0)
}

/// The path of a descriptor, if it lies below the folder.
fn path_of(fd: c_int) -> Option<Vec<u8>> {
    let shim = shim()?;
    let link = CString::new(format!("/proc/self/fd/{fd}")).ok()?;
    let mut buffer = [0_u8; 4096];
    // SAFETY: the buffer is as long as is said.
    let length = unsafe {
        libc::syscall(libc::SYS_readlinkat, libc::AT_FDCWD, link.as_ptr(), buffer.as_mut_ptr(), buffer.len())
    };
    below(shim, buffer.get(..usize::try_from(length).ok()?)?)
}

fn below(shim: &Shim, path: &[u8]) -> Option<Vec<u8>> {
    path.starts_with(&shim.folder).then(|| path.to_vec())
}

/// # Safety
/// `path` ends with a zero.
unsafe fn named(path: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: the caller's word.
    below(shim()?, unsafe { CStr::from_ptr(path) }.to_bytes())
}

fn note(kind: u8, path: &[u8], offset: u64, data: &[u8]) {
    let Some(log) = shim().and_then(|shim| shim.log) else { return };
    let mut record = Vec::with_capacity(17 + path.len() + data.len());
    record.push(kind);
    record.extend(u32::try_from(path.len()).unwrap_or(0).to_le_bytes());
    record.extend(u32::try_from(data.len()).unwrap_or(0).to_le_bytes());
    record.extend(offset.to_le_bytes());
    record.extend(path);
    record.extend(data);
    // SAFETY: the record lives until the call is over. One call, so that records of two threads do not mix.
    unsafe { libc::syscall(libc::SYS_write, log, record.as_ptr(), record.len()) };
}

/// The error that the disk gives at the moment.
fn fault(writing: bool) -> Option<c_int> {
    let path = shim()?.fault.as_ref()?;
    // SAFETY: the path ends with a zero.
    let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), libc::O_RDONLY, 0) };
    if fd < 0 {
        return None;
    }
    let mut word = [0_u8; 16];
    // SAFETY: the buffer is as long as is said.
    let length = unsafe { libc::syscall(libc::SYS_read, fd, word.as_mut_ptr(), word.len()) };
    // SAFETY: the descriptor was opened above.
    unsafe { libc::syscall(libc::SYS_close, fd) };
    let word = word.get(..usize::try_from(length).ok()?)?;
    match word.trim_ascii() {
        b"enospc" if writing => Some(libc::ENOSPC),
        b"erofs" if writing => Some(libc::EROFS),
        b"eio-write" if writing => Some(libc::EIO),
        b"eio-sync" if !writing => Some(libc::EIO),
        _ => None,
    }
}

fn fail(error: c_int) -> c_int {
    // SAFETY: the location of errno is the thread's own.
    unsafe { *libc::__errno_location() = error };
    -1
}

/// # Safety
/// `data` has `length` bytes.
unsafe fn bytes<'a>(data: *const c_void, length: size_t) -> &'a [u8] {
    // SAFETY: the caller's word; an empty slice may come with any pointer.
    if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data.cast(), length) } }
}

/// Sets errno as libc does, which a raw system call through `libc::syscall` has done already.
fn result(value: libc::c_long) -> c_int {
    c_int::try_from(value).unwrap_or(-1)
}

/// # Safety
/// As write(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, data: *const c_void, length: size_t) -> ssize_t {
    if let Some(path) = path_of(fd) {
        if let Some(error) = fault(true) {
            return fail(error) as ssize_t;
        }
        // SAFETY: plain system call.
        let mut at = unsafe { libc::syscall(libc::SYS_lseek, fd, 0, libc::SEEK_CUR) };
        // SAFETY: plain system call.
        if unsafe { libc::syscall(libc::SYS_fcntl, fd, libc::F_GETFL) } & libc::c_long::from(libc::O_APPEND) != 0 {
            let mut status = std::mem::MaybeUninit::<libc::stat>::zeroed();
            // SAFETY: the buffer is a whole `stat`.
            at = unsafe {
                libc::syscall(libc::SYS_fstat, fd, status.as_mut_ptr());
                status.assume_init().st_size
            };
        }
        // SAFETY: the caller's word.
        note(WRITE, &path, u64::try_from(at).unwrap_or(0), unsafe { bytes(data, length) });
    }
    // SAFETY: the caller's word.
    unsafe { libc::syscall(libc::SYS_write, fd, data, length) as ssize_t }
}

/// # Safety
/// As pwrite(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(fd: c_int, data: *const c_void, length: size_t, offset: off_t) -> ssize_t {
    if let Some(path) = path_of(fd) {
        if let Some(error) = fault(true) {
            return fail(error) as ssize_t;
        }
        // SAFETY: the caller's word.
        note(WRITE, &path, u64::try_from(offset).unwrap_or(0), unsafe { bytes(data, length) });
    }
    // SAFETY: the caller's word.
    unsafe { libc::syscall(libc::SYS_pwrite64, fd, data, length, offset) as ssize_t }
}

/// # Safety
/// As pwrite(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(fd: c_int, data: *const c_void, length: size_t, offset: off_t) -> ssize_t {
    // SAFETY: the caller's word.
    unsafe { pwrite64(fd, data, length, offset) }
}

#[unsafe(no_mangle)]
pub extern "C" fn ftruncate64(fd: c_int, length: off_t) -> c_int {
    if let Some(path) = path_of(fd) {
        if let Some(error) = fault(true) {
            return fail(error);
        }
        note(TRUNCATE, &path, u64::try_from(length).unwrap_or(0), &[]);
    }
    // SAFETY: plain system call.
    result(unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) })
}

#[unsafe(no_mangle)]
pub extern "C" fn ftruncate(fd: c_int, length: off_t) -> c_int {
    ftruncate64(fd, length)
}

fn synced(call: libc::c_long, fd: c_int) -> c_int {
    let Some(path) = path_of(fd) else {
        // SAFETY: plain system call.
        return result(unsafe { libc::syscall(call, fd) });
    };
    if let Some(error) = fault(false) {
        return fail(error);
    }
    // SAFETY: plain system call.
    let done = result(unsafe { libc::syscall(call, fd) });
    if done == 0 {
        note(SYNC, &path, 0, &[]);
    }
    done
}

#[unsafe(no_mangle)]
pub extern "C" fn fsync(fd: c_int) -> c_int {
    synced(libc::SYS_fsync, fd)
}

#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(fd: c_int) -> c_int {
    synced(libc::SYS_fdatasync, fd)
}

/// # Safety
/// As open(2); the mode counts with `O_CREAT` alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the caller's word.
    if let Some(path) = unsafe { named(path) } {
        if flags & libc::O_CREAT != 0 {
            if let Some(error) = fault(true) {
                return fail(error);
            }
            note(CREATE, &path, 0, &[]);
        }
        if flags & libc::O_TRUNC != 0 {
            note(TRUNCATE, &path, 0, &[]);
        }
    }
    // SAFETY: the caller's word.
    result(unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags, mode) })
}

/// # Safety
/// As open(2); the mode counts with `O_CREAT` alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { open64(path, flags, mode) }
}

/// # Safety
/// As unlink(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: the caller's word.
    if let Some(path) = unsafe { named(path) } {
        note(UNLINK, &path, 0, &[]);
    }
    // SAFETY: the caller's word.
    result(unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0) })
}

/// # Safety
/// As rename(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller's word.
    if let (Some(old), Some(new)) = unsafe { (named(from), named(to)) } {
        note(RENAME, &old, 0, &new);
    }
    // SAFETY: the caller's word.
    result(unsafe { libc::syscall(libc::SYS_renameat2, libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0) })
}

/// # Safety
/// As linkat(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linkat(
    at: c_int,
    from: *const c_char,
    to_at: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's word.
    if let (Some(old), Some(new)) = unsafe { (named(from), named(to)) } {
        note(LINK, &old, 0, &new);
    }
    // SAFETY: the caller's word.
    result(unsafe { libc::syscall(libc::SYS_linkat, at, from, to_at, to, flags) })
}
