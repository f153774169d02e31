//! The C headers of Jackfield's plugin API in Rust, and what keeps a panic on this side of the boundary. One file and no crates: copy it
//! beside your source, or name its installed place with `#[path]`. Works from Rust 1.63 on.
//!
//! The types are those of jackfield/base.h, host.h, module.h, tools.h, tts.h and stt.h; tests/packaging holds each field's offset against
//! them. The comments that say what each function promises stand in the headers and are not repeated here.
#![allow(dead_code, non_camel_case_types)]

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

pub const ABI_MAJOR: u32 = 1;
pub const ABI_MINOR: u32 = 0;

pub type jf_status = i32;
pub const OK: jf_status = 0;
pub const E_INVALID: jf_status = -1;
pub const E_STATE: jf_status = -2;
pub const E_UNSUPPORTED: jf_status = -3;
pub const E_AGAIN: jf_status = -4;
pub const E_CANCELLED: jf_status = -5;
pub const E_TIMEOUT: jf_status = -6;
pub const E_TOO_NEW: jf_status = -7;
pub const E_PEER_LOST: jf_status = -8;
pub const E_AUTH: jf_status = -9;
pub const E_QUOTA: jf_status = -10;
pub const E_RATE: jf_status = -11;
pub const E_NOT_FOUND: jf_status = -12;
pub const E_CONFLICT: jf_status = -13;
pub const E_INTERNAL: jf_status = -14;

pub const RETRY_NO: u32 = 0;
pub const RETRY_NOW: u32 = 1;
pub const RETRY_AFTER: u32 = 2;
pub const RETRY_OTHER_PROVIDER: u32 = 3;

pub type jf_op = u64;
pub const NO_OP: jf_op = 0;

pub const LOG_DEBUG: u32 = 0;
pub const LOG_INFO: u32 = 1;
pub const LOG_WARN: u32 = 2;
pub const LOG_ERROR: u32 = 3;

/// Declares structs as C lays them out. In the layout test `layout!` says where each field came to lie.
macro_rules! c_structs {
    ($(struct $name:ident { $($field:ident: $type:ty,)* })*) => {
        $(#[repr(C)] #[derive(Clone, Copy)] pub struct $name { $(pub $field: $type,)* })*
        /// (struct, size, [(field, offset)]), for tests.
        pub fn layouts() -> Vec<(&'static str, usize, Vec<(&'static str, usize)>)> {
            vec![$({
                let place = std::mem::MaybeUninit::<$name>::uninit();
                let at = place.as_ptr();
                (stringify!($name), std::mem::size_of::<$name>(),
                 vec![$((stringify!($field), unsafe { std::ptr::addr_of!((*at).$field) as usize } - at as usize),)*])
            },)*]
        }
    };
}

/// The plugin's own; a pointer to it goes through the host untouched.
pub enum jf_instance {}
/// The host's own.
pub enum jf_host_ctx {}

pub type OnEvent = unsafe extern "C" fn(*mut c_void, jf_op, *const jf_event, u32, u32);
pub type OnDone = unsafe extern "C" fn(*mut c_void, jf_op, jf_status, *const jf_event, *const jf_error);

c_structs! {
    // base.h
    struct jf_str { ptr: *const u8, len: u64, }
    struct jf_bytes { ptr: *const c_void, len: u64, }
    struct jf_array { ptr: *const c_void, n: u32, stride: u32, }
    struct jf_error { struct_size: u32, code: jf_status, retry_class: u32, retry_after_ms: u32, vendor_code: i64, text: [u8; 232], }
    struct jf_event {
        struct_size: u32, type_: u32, flags: u32, reserved: u32, mono_ns: u64, pos: u64, data: *const c_void, data_size: u64,
    }
    struct jf_frame {
        struct_size: u32, codec: u16, channels: u8, flags: u8, rate_hz: u32, samples: u32, pts: u64, data: jf_bytes,
    }
    struct jf_format { struct_size: u32, codec: u16, channels: u8, reserved: u8, rate_hz: u32, ptime_ms: u32, }
    struct jf_word { struct_size: u32, confidence: f32, text: jf_str, audio_from: u64, audio_to: u64, }
    struct jf_text {
        struct_size: u32, revision: u32, text: jf_str, words: jf_array, confidence: f32, end_probability: f32, language: jf_str,
        audio_from: u64, audio_to: u64,
    }
    struct jf_pair { key: jf_str, value: jf_str, }
    struct jf_sink { struct_size: u32, reserved: u32, user: *mut c_void, on_event: Option<OnEvent>, on_done: Option<OnDone>, }

    // host.h
    struct jf_host_v1 {
        struct_size: u32, abi_minor: u32, ctx: *mut jf_host_ctx,
        query: unsafe extern "C" fn(*mut jf_host_ctx, jf_str) -> *const c_void,
        op_open: unsafe extern "C" fn(*mut jf_host_ctx, jf_op, *const jf_sink, *mut jf_op) -> jf_status,
        emit: unsafe extern "C" fn(*mut jf_host_ctx, jf_op, *const jf_event, u32) -> jf_status,
        complete: unsafe extern "C" fn(*mut jf_host_ctx, jf_op, jf_status, *const jf_event, *const jf_error) -> jf_status,
        cancel: unsafe extern "C" fn(*mut jf_host_ctx, jf_op) -> jf_status,
        log: unsafe extern "C" fn(*mut jf_host_ctx, u32, jf_op, jf_str, jf_array),
        now_ns: unsafe extern "C" fn(*mut jf_host_ctx) -> u64,
        thread_class: unsafe extern "C" fn(*mut jf_host_ctx) -> u32,
    }
    struct jf_host_timer_v1 {
        struct_size: u32, reserved: u32, start: unsafe extern "C" fn(*mut jf_host_ctx, jf_op, u64) -> jf_status,
    }
    struct jf_host_worker_v1 {
        struct_size: u32, reserved: u32,
        start: unsafe extern "C" fn(*mut jf_host_ctx, jf_op, unsafe extern "C" fn(*mut c_void, jf_op) -> jf_status, *mut c_void) -> jf_status,
    }

    // module.h
    struct jf_instance_v1 {
        struct_size: u32, reserved: u32,
        start: unsafe extern "C" fn(*mut jf_instance, jf_op, *mut jf_error) -> jf_status,
        quiesce: unsafe extern "C" fn(*mut jf_instance, jf_op, u32) -> jf_status,
        destroy: unsafe extern "C" fn(*mut jf_instance),
        query: unsafe extern "C" fn(*mut jf_instance, jf_str) -> *const c_void,
        cancel: unsafe extern "C" fn(*mut jf_instance, jf_op) -> jf_status,
        health: Option<unsafe extern "C" fn(*mut jf_instance, jf_op, *mut jf_error) -> jf_status>,
    }
    struct jf_module_v1 {
        struct_size: u32, abi_major: u32, abi_need_minor: u32, abi_built_minor: u32, flags: u64, build_id: jf_str,
        init: unsafe extern "C" fn(*const jf_host_v1, *mut jf_error) -> jf_status,
        deinit: unsafe extern "C" fn(),
        create: unsafe extern "C" fn(*const jf_host_v1, jf_str, jf_str, jf_array, *mut *mut jf_instance, *mut *const jf_instance_v1,
                                     *mut jf_error) -> jf_status,
    }

    // tools.h, and jf_tool of llm.h
    struct jf_tool { struct_size: u32, flags: u32, name: jf_str, description: jf_str, parameters: jf_str, }
    struct jf_tool_list { struct_size: u32, reserved: u32, tools: jf_array, }
    struct jf_tool_request {
        struct_size: u32, deadline_ms: u32, name: jf_str, arguments: jf_str, idempotency_key: jf_str, call: jf_str, language: jf_str,
        now_local: jf_str,
    }
    struct jf_tool_result { struct_size: u32, flags: u32, content: jf_str, }
    struct jf_tools_v1 {
        struct_size: u32, reserved: u32,
        list: unsafe extern "C" fn(*mut jf_instance, jf_op, *mut jf_error) -> jf_status,
        call: unsafe extern "C" fn(*mut jf_instance, jf_op, *const jf_tool_request, *mut jf_error) -> jf_status,
    }

    // tts.h
    struct jf_tts_open { struct_size: u32, flags: u32, format: jf_format, language: jf_str, voice: jf_str, credit: u64, }
    struct jf_tts_text { struct_size: u32, flush: u32, text: jf_str, }
    struct jf_tts_usage { struct_size: u32, reserved: u32, characters: u64, audio_ms: u64, }
    struct jf_tts_v1 {
        struct_size: u32, reserved: u32,
        open: unsafe extern "C" fn(*mut jf_instance, jf_op, *const jf_tts_open, *mut jf_error) -> jf_status,
        text: unsafe extern "C" fn(*mut jf_instance, jf_op, *const jf_tts_text) -> jf_status,
        clear: unsafe extern "C" fn(*mut jf_instance, jf_op) -> jf_status,
        credit: unsafe extern "C" fn(*mut jf_instance, jf_op, u64) -> jf_status,
        close: unsafe extern "C" fn(*mut jf_instance, jf_op) -> jf_status,
    }

    // stt.h
    struct jf_hints {
        struct_size: u32, slot: u32, grammar: jf_str, phrases: jf_array, keywords: jf_array, min_digits: u32, max_digits: u32,
    }
    struct jf_stt_open { struct_size: u32, flags: u32, format: jf_format, language: jf_str, hints: *const jf_hints, }
    struct jf_stt_control { struct_size: u32, verb: u32, value: u64, text: jf_str, hints: *const jf_hints, }
    struct jf_stt_usage { struct_size: u32, reserved: u32, audio_ms: u64, }
    struct jf_stt_v1 {
        struct_size: u32, reserved: u32,
        open: unsafe extern "C" fn(*mut jf_instance, jf_op, *const jf_stt_open, *mut jf_error) -> jf_status,
        control: unsafe extern "C" fn(*mut jf_instance, jf_op, *const jf_stt_control) -> jf_status,
        push: unsafe extern "C" fn(*mut jf_instance, jf_op, *const jf_frame) -> jf_status,
        close: unsafe extern "C" fn(*mut jf_instance, jf_op) -> jf_status,
    }
}

pub const FACILITY_TIMER: &str = "jf.host.timer/1";
pub const FACILITY_WORKER: &str = "jf.host.worker/1";
pub const TOOLS_V1: &str = "jf.tools/1";
pub const TTS_V1: &str = "jf.tts/1";
pub const STT_V1: &str = "jf.stt/1";

pub const EV_CREDIT: u32 = 0x0001;
pub const EV_SPEECH_START: u32 = 0x0301;
pub const EV_SPEECH_END: u32 = 0x0302;
pub const EV_PARTIAL: u32 = 0x0303;
pub const EV_FINAL: u32 = 0x0304;
pub const EV_NO_MATCH: u32 = 0x0308;
pub const EV_STT_USAGE: u32 = 0x03ff;
pub const EV_AUDIO: u32 = 0x0401;
pub const EV_TTS_MARK: u32 = 0x0402;
pub const EV_CLEARED: u32 = 0x0403;
pub const EV_TTS_USAGE: u32 = 0x04ff;
pub const EV_TOOL_LIST: u32 = 0x0b01;
pub const EV_TOOL_PROGRESS: u32 = 0x0b02;
pub const EV_TOOL_RESULT: u32 = 0x0bff;

pub const CODEC_L16: u16 = 1;
pub const FRAME_TALKSPURT: u8 = 2;
pub const TOOL_IDEMPOTENT: u32 = 1;
pub const TOOL_READ_ONLY: u32 = 2;
pub const TTS_MORE: u32 = 0;
pub const TTS_FLUSH: u32 = 1;
pub const TTS_END: u32 = 2;
pub const STT_FINALIZE: u32 = 1;
pub const STT_DISCARD: u32 = 5;

pub fn size<T>() -> u32 {
    std::mem::size_of::<T>() as u32
}

impl jf_str {
    pub const EMPTY: jf_str = jf_str { ptr: std::ptr::null(), len: 0 };
    /// Borrows: `text` has to live until the call that gets this returns.
    pub fn of(text: &str) -> jf_str {
        jf_str { ptr: text.as_ptr(), len: text.len() as u64 }
    }
    /// A copy, with what is not UTF-8 replaced.
    pub fn copy(&self) -> String {
        String::from_utf8_lossy(unsafe { self.bytes() }).into_owned()
    }
    /// What it points to.
    ///
    /// # Safety
    /// The result is used only until the function that was given this returns.
    pub unsafe fn bytes<'a>(&self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 {
            return &[];
        }
        std::slice::from_raw_parts(self.ptr, self.len as usize)
    }
}

impl jf_array {
    /// Borrows.
    pub fn of<T>(all: &[T]) -> jf_array {
        jf_array { ptr: all.as_ptr() as *const c_void, n: all.len() as u32, stride: size::<T>() }
    }
    /// The i-th element. Steps by stride, since a newer writer's elements may be longer.
    ///
    /// # Safety
    /// The array holds elements that begin with a T, and lives as long as the result.
    pub unsafe fn at<T>(&self, i: u32) -> Option<&T> {
        if i >= self.n || self.stride < size::<T>() {
            return None;
        }
        Some(&*((self.ptr as *const u8).add(i as usize * self.stride as usize) as *const T))
    }
}

impl jf_event {
    /// Without data.
    pub fn plain(type_: u32, pos: u64) -> jf_event {
        jf_event {
            struct_size: size::<jf_event>(), type_, flags: 0, reserved: 0, mono_ns: 0, pos, data: std::ptr::null(), data_size: 0,
        }
    }
    /// Borrows `data`.
    pub fn of<T>(type_: u32, pos: u64, data: &T) -> jf_event {
        jf_event {
            struct_size: size::<jf_event>(), type_, flags: 0, reserved: 0, mono_ns: 0, pos,
            data: data as *const T as *const c_void, data_size: size::<T>() as u64,
        }
    }
}

/// Why something did not work, as the host is told.
pub struct Failure {
    pub code: jf_status,
    pub retry: u32,
    pub text: String,
}

impl Failure {
    pub fn new(code: jf_status, text: impl Into<String>) -> Failure {
        Failure { code, retry: RETRY_NO, text: text.into() }
    }

    /// Writes itself into `error`, where there is one, and answers the code.
    ///
    /// # Safety
    /// `error` is null or points to a jf_error.
    pub unsafe fn write(&self, error: *mut jf_error) -> jf_status {
        if !error.is_null() {
            let error = &mut *error;
            error.struct_size = size::<jf_error>();
            error.code = self.code;
            error.retry_class = self.retry;
            error.retry_after_ms = 0;
            error.vendor_code = 0;
            // Cut at a character's end, and always terminated.
            let mut n = self.text.len().min(error.text.len() - 1);
            while !self.text.is_char_boundary(n) {
                n -= 1;
            }
            error.text = [0; 232];
            error.text[..n].copy_from_slice(&self.text.as_bytes()[..n]);
        }
        self.code
    }
}

/// The barrier at the C boundary. Every function that the host calls does its work in here: a panic that left it would end the process, and is
/// INTERNAL to the host instead. Build with `-C panic=unwind`; with `abort` there is nothing to catch.
///
/// # Safety
/// `error` is null or points to a jf_error.
pub unsafe fn guarded(error: *mut jf_error, body: impl FnOnce() -> Result<(), Failure>) -> jf_status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => OK,
        Ok(Err(failure)) => failure.write(error),
        Err(panic) => {
            let why = panic.downcast_ref::<&str>().map(|s| s.to_string()).or_else(|| panic.downcast_ref::<String>().cloned());
            let failure = Failure::new(E_INTERNAL, format!("the plugin panicked: {}", why.unwrap_or_default()));
            // A payload whose drop panics would get through after all.
            std::mem::forget(panic);
            failure.write(error)
        }
    }
}

/// The same for functions that answer something else than a status.
pub fn guarded_or<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(panic) => {
            std::mem::forget(panic);
            otherwise
        }
    }
}

/// Keeps panics from writing to the host's standard error: guarded() reports them. The hook is this library's own, as its copy of std is.
pub fn report_panics_to_the_host_only() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// The host's table as an object; as long-lived as the instance.
#[derive(Clone, Copy)]
pub struct Host(*const jf_host_v1);

// The host's functions may be called from any thread.
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

impl Host {
    /// # Safety
    /// `table` is what create() or init() was given.
    pub unsafe fn new(table: *const jf_host_v1) -> Host {
        Host(table)
    }
    fn table(&self) -> &jf_host_v1 {
        unsafe { &*self.0 }
    }
    pub fn ctx(&self) -> *mut jf_host_ctx {
        self.table().ctx
    }
    pub fn now_ns(&self) -> u64 {
        unsafe { (self.table().now_ns)(self.ctx()) }
    }
    /// A facility's table, none when this host lacks it.
    ///
    /// # Safety
    /// `T` is the table that `id` names.
    pub unsafe fn facility<T>(&self, id: &str) -> Option<&'static T> {
        ((self.table().query)(self.ctx(), jf_str::of(id)) as *const T).as_ref()
    }
    pub fn open(&self, parent: jf_op, sink: &jf_sink) -> Result<jf_op, Failure> {
        let mut op = NO_OP;
        match unsafe { (self.table().op_open)(self.ctx(), parent, sink, &mut op) } {
            OK => Ok(op),
            code => Err(Failure::new(code, "the host opened no operation")),
        }
    }
    pub fn cancel(&self, op: jf_op) {
        unsafe { (self.table().cancel)(self.ctx(), op) };
    }
    pub fn emit(&self, op: jf_op, event: &jf_event) -> jf_status {
        unsafe { (self.table().emit)(self.ctx(), op, event, 1) }
    }
    pub fn complete(&self, op: jf_op, status: jf_status) {
        unsafe { (self.table().complete)(self.ctx(), op, status, std::ptr::null(), std::ptr::null()) };
    }
    pub fn complete_with<T>(&self, op: jf_op, type_: u32, last: &T) {
        self.complete_status_with(op, OK, type_, last)
    }
    pub fn complete_status_with<T>(&self, op: jf_op, status: jf_status, type_: u32, last: &T) {
        let event = jf_event::of(type_, 0, last);
        unsafe { (self.table().complete)(self.ctx(), op, status, &event, std::ptr::null()) };
    }
    pub fn log(&self, level: u32, op: jf_op, event: &str, fields: &[(&str, &str)]) {
        let pairs: Vec<jf_pair> = fields.iter().map(|(key, value)| jf_pair { key: jf_str::of(key), value: jf_str::of(value) }).collect();
        unsafe { (self.table().log)(self.ctx(), level, op, jf_str::of(event), jf_array::of(&pairs)) };
    }
}

/// The instance's options, checked by the host against plugin.json and with defaults filled in.
pub struct Config(Vec<(String, String)>);

impl Config {
    /// # Safety
    /// `pairs` is what create() was given.
    pub unsafe fn new(pairs: jf_array) -> Config {
        Config((0..pairs.n).filter_map(|i| pairs.at::<jf_pair>(i)).map(|pair| (pair.key.copy(), pair.value.copy())).collect())
    }
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
    pub fn integer(&self, key: &str) -> Option<i64> {
        self.text(key)?.parse().ok()
    }
}
