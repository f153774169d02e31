//! A tool that divides a bill: jf.tools/1 in Rust, without a crate.
//!
//! Each function that the host calls is a line or two of `unsafe` around `guarded`, which turns a `Failure` and a panic into a status.
//! What it does stands in `Divider`, which is safe Rust. Calls run side by side on several threads, so what changes
//! after `create` is atomic, or would stand behind a `Mutex`.

use jackfield::*;
use std::sync::atomic::{AtomicBool, Ordering};

struct Divider {
    host: Host,
    currency: String,
    /// Between quiesce() and the next start(): no new work.
    quiescing: AtomicBool,
}

const PARAMETERS: &str = r#"{"type":"object","properties":{
    "total_cents":{"type":"integer","minimum":0,"maximum":100000000,"description":"The whole bill"},
    "people":{"type":"integer","minimum":1,"maximum":1000,"description":"How many share it"}},
    "required":["total_cents","people"]}"#;

/// The host has checked the arguments against PARAMETERS: an object of integers, so that nothing is nested and no comma stands in a string.
fn integer(arguments: &str, key: &str) -> Result<i64, Failure> {
    let members = arguments.trim().trim_start_matches('{').trim_end_matches('}').split(',');
    members
        .filter_map(|member| member.split_once(':'))
        .find(|(name, _)| name.trim().trim_matches('"') == key)
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or_else(|| Failure::new(E_INVALID, format!("{} has to be a whole number", key)))
}

impl Divider {
    fn list(&self, op: jf_op) {
        let tool = |name: &'static str, description: &'static str, parameters: &'static str| jf_tool {
            struct_size: size::<jf_tool>(),
            flags: TOOL_READ_ONLY | TOOL_IDEMPOTENT,
            name: jf_str::of(name),
            description: jf_str::of(description),
            parameters: jf_str::of(parameters),
        };
        let tools = [
            tool("split_bill", "Divides a bill between people", PARAMETERS),
            tool("currency", "What bills are paid in", r#"{"type":"object","properties":{}}"#),
        ];
        let list = jf_tool_list { struct_size: size::<jf_tool_list>(), reserved: 0, tools: jf_array::of(&tools) };
        self.host.complete_with(op, EV_TOOL_LIST, &list);
    }

    fn split(&self, arguments: &str) -> Result<String, Failure> {
        let (total, people) = (integer(arguments, "total_cents")?, integer(arguments, "people")?);
        // Among nobody this panics. The schema keeps 0 out, and if it did not, the panic would stay in this plugin.
        Ok(format!(r#"{{"each_cents":{},"left_over_cents":{},"currency":"{}"}}"#, total / people, total % people, self.currency))
    }

    fn call(&self, op: jf_op, name: &str, arguments: &str) -> Result<(), Failure> {
        if self.quiescing.load(Ordering::Acquire) {
            return Err(Failure::new(E_STATE, "this instance takes no more calls"));
        }
        let content = match name {
            "split_bill" => self.split(arguments)?,
            "currency" => format!(r#"{{"currency":"{}"}}"#, self.currency),
            _ => return Err(Failure::new(E_NOT_FOUND, "there are split_bill and currency")),
        };
        let result = jf_tool_result { struct_size: size::<jf_tool_result>(), flags: 0, content: jf_str::of(&content) };
        self.host.complete_with(op, EV_TOOL_RESULT, &result);
        Ok(())
    }
}

/// The host passes back the pointer that create() gave it, until destroy().
unsafe fn divider<'a>(instance: *mut jf_instance) -> &'a Divider {
    &*(instance as *const Divider)
}

// ---- jf.tools/1 -------------------------------------------------------------------------------------------------------------

unsafe extern "C" fn list(instance: *mut jf_instance, op: jf_op, error: *mut jf_error) -> jf_status {
    guarded(error, || {
        divider(instance).list(op);
        Ok(())
    })
}

unsafe extern "C" fn call(instance: *mut jf_instance, op: jf_op, request: *const jf_tool_request, error: *mut jf_error) -> jf_status {
    guarded(error, || {
        if request.is_null() || (*request).struct_size < size::<jf_tool_request>() {
            return Err(Failure::new(E_INVALID, "there is no request"));
        }
        divider(instance).call(op, &(*request).name.copy(), &(*request).arguments.copy())
    })
}

static TOOLS: jf_tools_v1 = jf_tools_v1 { struct_size: std::mem::size_of::<jf_tools_v1>() as u32, reserved: 0, list, call };

// ---- the instance -----------------------------------------------------------------------------------------------------------

unsafe extern "C" fn start(instance: *mut jf_instance, op: jf_op, error: *mut jf_error) -> jf_status {
    guarded(error, || {
        let divider = divider(instance);
        divider.quiescing.store(false, Ordering::Release);
        divider.host.complete(op, OK);
        Ok(())
    })
}

unsafe extern "C" fn quiesce(instance: *mut jf_instance, op: jf_op, _budget_ms: u32) -> jf_status {
    guarded(std::ptr::null_mut(), || {
        let divider = divider(instance);
        divider.quiescing.store(true, Ordering::Release);
        divider.host.complete(op, OK);
        Ok(())
    })
}

unsafe extern "C" fn destroy(instance: *mut jf_instance) {
    guarded_or((), || drop(Box::from_raw(instance as *mut Divider)))
}

unsafe extern "C" fn query(_instance: *mut jf_instance, id: jf_str) -> *const std::ffi::c_void {
    guarded_or(std::ptr::null(), || match id.copy().as_str() {
        TOOLS_V1 => &TOOLS as *const jf_tools_v1 as *const std::ffi::c_void,
        _ => std::ptr::null(),
    })
}

/// Every op completes in the call that opens it, so there is none left to give up.
unsafe extern "C" fn cancel(_instance: *mut jf_instance, _op: jf_op) -> jf_status {
    E_INVALID
}

static INSTANCE: jf_instance_v1 = jf_instance_v1 {
    struct_size: std::mem::size_of::<jf_instance_v1>() as u32,
    reserved: 0,
    start,
    quiesce,
    destroy,
    query,
    cancel,
    health: None,
};

// ---- the module -------------------------------------------------------------------------------------------------------------

unsafe extern "C" fn init(_host: *const jf_host_v1, error: *mut jf_error) -> jf_status {
    guarded(error, || {
        report_panics_to_the_host_only();
        Ok(())
    })
}

unsafe extern "C" fn deinit() {}

unsafe extern "C" fn create(
    host: *const jf_host_v1,
    _plugin_id: jf_str,
    _config_json: jf_str,
    config_pairs: jf_array,
    out: *mut *mut jf_instance,
    table: *mut *const jf_instance_v1,
    error: *mut jf_error,
) -> jf_status {
    guarded(error, || {
        let currency = Config::new(config_pairs).text("currency").unwrap_or("EUR").to_string();
        *out = Box::into_raw(Box::new(Divider { host: Host::new(host), currency, quiescing: AtomicBool::new(false) })) as *mut jf_instance;
        *table = &INSTANCE;
        Ok(())
    })
}

/// The host may read it from any thread; nothing in it changes.
struct Shared(jf_module_v1);
unsafe impl Sync for Shared {}

static MODULE: Shared = Shared(jf_module_v1 {
    struct_size: std::mem::size_of::<jf_module_v1>() as u32,
    abi_major: ABI_MAJOR,
    abi_need_minor: 0,
    abi_built_minor: ABI_MINOR,
    flags: 0,
    build_id: jf_str::EMPTY,
    init,
    deinit,
    create,
});

#[no_mangle]
pub extern "C" fn jf_module_entry_v1() -> *const jf_module_v1 {
    &MODULE.0
}
