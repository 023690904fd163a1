//! `ksr.h`, declaration by declaration. What everything means, and what must be kept, stands there. The crate `ksr` is
//! the safe way to use it.

#![allow(non_camel_case_types)]

use std::marker::{PhantomData, PhantomPinned};
use std::os::raw::{c_char, c_int, c_void};

macro_rules! opaque {
    ($($name:ident)*) => {$(
        /// Opaque: used through pointers only.
        #[repr(C)]
        pub struct $name {
            _data: [u8; 0],
            _marker: PhantomData<(*mut u8, PhantomPinned)>,
        }
    )*};
}

opaque! {
    ksr_error ksr_config ksr_stream ksr_snapshot ksr_object ksr_client ksr_params ksr_request ksr_response ksr_channel
}

pub type ksr_status = i32;
pub type ksr_state = i32;
pub type ksr_delta = i32;
pub type ksr_field = i32;
pub type ksr_part = i32;
pub type ksr_event = i32;

pub const KSR_VERSION: u32 = 0x000200;

pub const KSR_OK: ksr_status = 0;
pub const KSR_E_INVALID: ksr_status = -1;
pub const KSR_E_NOMEM: ksr_status = -2;
pub const KSR_E_INTERNAL: ksr_status = -3;
pub const KSR_E_UNKNOWN_KEY: ksr_status = -4;
pub const KSR_E_WOULD_DEADLOCK: ksr_status = -5;
pub const KSR_E_FORKED: ksr_status = -6;
pub const KSR_E_CANCELLED: ksr_status = -7;
pub const KSR_E_TIMEOUT: ksr_status = -8;
pub const KSR_E_UNSUPPORTED: ksr_status = -9;
pub const KSR_E_TRANSPORT: ksr_status = -20;
pub const KSR_E_TLS: ksr_status = -21;
pub const KSR_E_PROTOCOL: ksr_status = -22;
pub const KSR_E_TOO_LARGE: ksr_status = -23;
pub const KSR_E_LOST: ksr_status = -24;
pub const KSR_E_AUTH: ksr_status = -40;
pub const KSR_E_FORBIDDEN: ksr_status = -41;
pub const KSR_E_NOT_FOUND: ksr_status = -42;
pub const KSR_E_GONE: ksr_status = -43;
pub const KSR_E_THROTTLED: ksr_status = -44;
pub const KSR_E_SERVER: ksr_status = -45;
pub const KSR_E_CONFLICT: ksr_status = -46;
pub const KSR_E_REJECTED: ksr_status = -47;

pub const KSR_STATE_CONNECTING: ksr_state = 1;
pub const KSR_STATE_LISTING: ksr_state = 2;
pub const KSR_STATE_LIVE: ksr_state = 3;
pub const KSR_STATE_WAITING: ksr_state = 4;
pub const KSR_STATE_CLOSED: ksr_state = 5;

pub const KSR_DELTA_ADDED: ksr_delta = 1;
pub const KSR_DELTA_MODIFIED: ksr_delta = 2;
pub const KSR_DELTA_DELETED: ksr_delta = 3;

pub const KSR_FIELD_JSON: ksr_field = 1;
pub const KSR_FIELD_UID: ksr_field = 2;
pub const KSR_FIELD_NAMESPACE: ksr_field = 3;
pub const KSR_FIELD_NAME: ksr_field = 4;
pub const KSR_FIELD_RESOURCE_VERSION: ksr_field = 5;
pub const KSR_FIELD_KIND: ksr_field = 6;
pub const KSR_FIELD_API_VERSION: ksr_field = 7;
pub const KSR_FIELD_CREATION_TIMESTAMP: ksr_field = 8;

pub const KSR_PART_DATA: ksr_part = 0;
pub const KSR_PART_STDIN: ksr_part = 0;
pub const KSR_PART_STDOUT: ksr_part = 1;
pub const KSR_PART_STDERR: ksr_part = 2;
pub const KSR_PART_TEXT: ksr_part = 16;
pub const KSR_PART_BINARY: ksr_part = 17;

pub const KSR_EVENT_CONNECTING: ksr_event = 1;
pub const KSR_EVENT_OPEN: ksr_event = 2;
pub const KSR_EVENT_READABLE: ksr_event = 3;
pub const KSR_EVENT_WRITABLE: ksr_event = 4;
pub const KSR_EVENT_FINISHED: ksr_event = 5;
pub const KSR_EVENT_GAP: ksr_event = 6;
pub const KSR_EVENT_RESTARTED: ksr_event = 7;
pub const KSR_EVENT_INTERRUPTED: ksr_event = 8;
pub const KSR_EVENT_CLOSED: ksr_event = 9;

pub type ksr_update_fn = Option<unsafe extern "C" fn(*mut ksr_stream, *const ksr_snapshot, *mut c_void)>;
pub type ksr_test_fn = Option<unsafe extern "C" fn(*const ksr_snapshot, *mut c_void) -> c_int>;
pub type ksr_error_fn = Option<unsafe extern "C" fn(*mut ksr_stream, *const ksr_error, *mut c_void)>;
pub type ksr_state_fn = Option<unsafe extern "C" fn(*mut ksr_stream, ksr_state, *mut c_void)>;
pub type ksr_log_fn = Option<unsafe extern "C" fn(i32, *const c_char, usize, *mut c_void)>;
pub type ksr_response_fn =
    Option<unsafe extern "C" fn(*mut ksr_request, *const ksr_response, *const ksr_error, *mut c_void)>;
pub type ksr_data_fn = Option<unsafe extern "C" fn(*mut ksr_channel, i32, *const c_void, usize, *mut c_void) -> usize>;
pub type ksr_event_fn = Option<unsafe extern "C" fn(*mut ksr_channel, i32, i32, *const ksr_error, *mut c_void)>;
pub type ksr_destroy_fn = Option<unsafe extern "C" fn(*mut c_void)>;

extern "C" {
    pub fn ksr_version() -> u32;
    pub fn ksr_version_string() -> *const c_char;
    pub fn ksr_build_info() -> *const c_char;
    pub fn ksr_has_feature(name: *const c_char) -> c_int;
    pub fn ksr_status_name(status: ksr_status) -> *const c_char;

    pub fn ksr_error_code(error: *const ksr_error) -> ksr_status;
    pub fn ksr_error_message(error: *const ksr_error, len: *mut usize) -> *const c_char;
    pub fn ksr_error_reason(error: *const ksr_error, len: *mut usize) -> *const c_char;
    pub fn ksr_error_http_status(error: *const ksr_error) -> c_int;
    pub fn ksr_error_retry_ms(error: *const ksr_error) -> i64;
    pub fn ksr_error_details(error: *const ksr_error, len: *mut usize) -> *const c_char;
    pub fn ksr_error_maybe_done(error: *const ksr_error) -> c_int;
    pub fn ksr_error_copy(error: *const ksr_error) -> *mut ksr_error;
    pub fn ksr_error_free(error: *mut ksr_error);

    pub fn ksr_config_new(out: *mut *mut ksr_config) -> ksr_status;
    pub fn ksr_config_free(config: *mut ksr_config);
    pub fn ksr_config_set(
        config: *mut ksr_config,
        key: *const c_char,
        value: *const c_char,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_config_on_update(config: *mut ksr_config, callback: ksr_update_fn);
    pub fn ksr_config_on_error(config: *mut ksr_config, callback: ksr_error_fn);
    pub fn ksr_config_on_state(config: *mut ksr_config, callback: ksr_state_fn);
    pub fn ksr_config_on_log(config: *mut ksr_config, callback: ksr_log_fn);

    pub fn ksr_open(
        config: *const ksr_config,
        user_data: *mut c_void,
        destroy: ksr_destroy_fn,
        out: *mut *mut ksr_stream,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_cancel(stream: *mut ksr_stream);
    pub fn ksr_close(stream: *mut ksr_stream) -> ksr_status;
    pub fn ksr_close_async(stream: *mut ksr_stream);
    pub fn ksr_wait_synced(stream: *mut ksr_stream, timeout_ms: i64) -> ksr_status;
    pub fn ksr_wait_until(
        stream: *mut ksr_stream,
        test: ksr_test_fn,
        user_data: *mut c_void,
        timeout_ms: i64,
    ) -> ksr_status;
    pub fn ksr_latest(stream: *mut ksr_stream) -> *const ksr_snapshot;
    pub fn ksr_fd(stream: *mut ksr_stream) -> c_int;
    pub fn ksr_dispatch(stream: *mut ksr_stream) -> i64;
    pub fn ksr_stat(stream: *mut ksr_stream, name: *const c_char, value: *mut u64) -> ksr_status;
    pub fn ksr_last_error(stream: *mut ksr_stream) -> *mut ksr_error;
    pub fn ksr_in_callback() -> c_int;

    pub fn ksr_snapshot_retain(snapshot: *const ksr_snapshot) -> *const ksr_snapshot;
    pub fn ksr_snapshot_release(snapshot: *const ksr_snapshot);
    pub fn ksr_snapshot_sequence(snapshot: *const ksr_snapshot) -> u64;
    pub fn ksr_snapshot_resource_version(snapshot: *const ksr_snapshot, len: *mut usize) -> *const c_char;
    pub fn ksr_snapshot_count(snapshot: *const ksr_snapshot) -> usize;
    pub fn ksr_snapshot_at(snapshot: *const ksr_snapshot, i: usize) -> *const ksr_object;
    pub fn ksr_snapshot_find(
        snapshot: *const ksr_snapshot,
        ns: *const c_char,
        name: *const c_char,
    ) -> *const ksr_object;
    pub fn ksr_snapshot_find_uid(snapshot: *const ksr_snapshot, uid: *const c_char) -> *const ksr_object;
    pub fn ksr_snapshot_delta_count(snapshot: *const ksr_snapshot) -> usize;
    pub fn ksr_snapshot_delta_at(snapshot: *const ksr_snapshot, i: usize, obj: *mut *const ksr_object) -> ksr_delta;
    pub fn ksr_snapshot_delta_before(snapshot: *const ksr_snapshot, i: usize) -> *const ksr_object;
    pub fn ksr_snapshot_delta_left(snapshot: *const ksr_snapshot, i: usize) -> c_int;
    pub fn ksr_snapshot_index_count(snapshot: *const ksr_snapshot, column: usize, value: *const c_char) -> usize;
    pub fn ksr_snapshot_index_at(
        snapshot: *const ksr_snapshot,
        column: usize,
        value: *const c_char,
        i: usize,
    ) -> *const ksr_object;

    pub fn ksr_object_retain(object: *const ksr_object) -> *const ksr_object;
    pub fn ksr_object_release(object: *const ksr_object);
    pub fn ksr_object_field(object: *const ksr_object, field: ksr_field, len: *mut usize) -> *const c_char;
    pub fn ksr_object_get(object: *const ksr_object, json_pointer: *const c_char, len: *mut usize) -> *const c_char;
    pub fn ksr_object_get_string(
        object: *const ksr_object,
        json_pointer: *const c_char,
        to: *mut c_char,
        size: usize,
    ) -> i64;
    pub fn ksr_object_get_int64(object: *const ksr_object, json_pointer: *const c_char, value: *mut i64) -> c_int;
    pub fn ksr_object_get_double(object: *const ksr_object, json_pointer: *const c_char, value: *mut f64) -> c_int;
    pub fn ksr_object_get_bool(object: *const ksr_object, json_pointer: *const c_char, value: *mut c_int) -> c_int;
    pub fn ksr_object_get_time(object: *const ksr_object, json_pointer: *const c_char, unix_ms: *mut i64) -> c_int;
    pub fn ksr_object_size(object: *const ksr_object, json_pointer: *const c_char) -> i64;
    pub fn ksr_object_key(
        object: *const ksr_object,
        json_pointer: *const c_char,
        i: usize,
        to: *mut c_char,
        size: usize,
    ) -> i64;
    pub fn ksr_object_column(object: *const ksr_object, column: usize, len: *mut usize) -> *const c_char;

    pub fn ksr_client_open(
        config: *const ksr_config,
        user_data: *mut c_void,
        destroy: ksr_destroy_fn,
        out: *mut *mut ksr_client,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_client_stream(
        client: *mut ksr_client,
        query: *const ksr_config,
        user_data: *mut c_void,
        destroy: ksr_destroy_fn,
        out: *mut *mut ksr_stream,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_client_cancel(client: *mut ksr_client);
    pub fn ksr_client_close(client: *mut ksr_client) -> ksr_status;
    pub fn ksr_client_close_async(client: *mut ksr_client);
    pub fn ksr_client_fd(client: *mut ksr_client) -> c_int;
    pub fn ksr_client_dispatch(client: *mut ksr_client) -> i64;
    pub fn ksr_client_stat(client: *mut ksr_client, name: *const c_char, value: *mut u64) -> ksr_status;

    pub fn ksr_params_new(out: *mut *mut ksr_params) -> ksr_status;
    pub fn ksr_params_free(params: *mut ksr_params);
    pub fn ksr_params_set(
        params: *mut ksr_params,
        key: *const c_char,
        value: *const c_char,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_params_add(
        params: *mut ksr_params,
        key: *const c_char,
        value: *const c_char,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_params_body(
        params: *mut ksr_params,
        bytes: *const c_void,
        len: usize,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_params_on_response(params: *mut ksr_params, callback: ksr_response_fn);

    pub fn ksr_request_open(
        client: *mut ksr_client,
        params: *const ksr_params,
        user_data: *mut c_void,
        destroy: ksr_destroy_fn,
        out: *mut *mut ksr_request,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_request_wait(
        request: *mut ksr_request,
        timeout_ms: i64,
        out: *mut *const ksr_response,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_request_cancel(request: *mut ksr_request);
    pub fn ksr_request_close(request: *mut ksr_request) -> ksr_status;
    pub fn ksr_request_close_async(request: *mut ksr_request);
    pub fn ksr_call(
        client: *mut ksr_client,
        params: *const ksr_params,
        out: *mut *const ksr_response,
        err: *mut *mut ksr_error,
    ) -> ksr_status;

    pub fn ksr_response_retain(response: *const ksr_response) -> *const ksr_response;
    pub fn ksr_response_release(response: *const ksr_response);
    pub fn ksr_response_http_status(response: *const ksr_response) -> c_int;
    pub fn ksr_response_header(response: *const ksr_response, name: *const c_char, len: *mut usize) -> *const c_char;
    pub fn ksr_response_warning_count(response: *const ksr_response) -> usize;
    pub fn ksr_response_warning(response: *const ksr_response, i: usize, len: *mut usize) -> *const c_char;
    pub fn ksr_response_body(response: *const ksr_response, len: *mut usize) -> *const c_void;
    pub fn ksr_response_object(response: *const ksr_response) -> *const ksr_object;

    pub fn ksr_params_on_data(params: *mut ksr_params, callback: ksr_data_fn);
    pub fn ksr_params_on_event(params: *mut ksr_params, callback: ksr_event_fn);
    pub fn ksr_channel_open(
        client: *mut ksr_client,
        params: *const ksr_params,
        user_data: *mut c_void,
        destroy: ksr_destroy_fn,
        out: *mut *mut ksr_channel,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_channel_read(
        channel: *mut ksr_channel,
        part: i32,
        to: *mut c_void,
        size: usize,
        timeout_ms: i64,
        got: *mut usize,
    ) -> ksr_status;
    pub fn ksr_channel_write(
        channel: *mut ksr_channel,
        part: i32,
        bytes: *const c_void,
        len: usize,
        timeout_ms: i64,
        taken: *mut usize,
    ) -> ksr_status;
    pub fn ksr_channel_finish(channel: *mut ksr_channel, part: i32) -> ksr_status;
    pub fn ksr_channel_resume(channel: *mut ksr_channel, part: i32) -> ksr_status;
    pub fn ksr_channel_resize(channel: *mut ksr_channel, columns: u32, rows: u32) -> ksr_status;
    pub fn ksr_channel_wait(
        channel: *mut ksr_channel,
        timeout_ms: i64,
        exit_code: *mut i32,
        err: *mut *mut ksr_error,
    ) -> ksr_status;
    pub fn ksr_channel_info(channel: *mut ksr_channel, name: *const c_char, to: *mut c_char, size: usize) -> usize;
    pub fn ksr_channel_stat(channel: *mut ksr_channel, name: *const c_char, value: *mut u64) -> ksr_status;
    pub fn ksr_channel_cancel(channel: *mut ksr_channel);
    pub fn ksr_channel_close(channel: *mut ksr_channel) -> ksr_status;
    pub fn ksr_channel_close_async(channel: *mut ksr_channel);
}
