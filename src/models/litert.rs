//! The C interface of `libLiteRt.so` (TFLite), opened at run time. The only `unsafe` of the service; what leaves this file is safe.
//!
//! JUSTIFICATION for `unsafe`: TFLite is a C++ library with a C interface. No crate wraps a current release and lets the number
//! of threads be set (docs/dependencies.md has the comparison), so the thirty functions that are needed are declared here.
//!
//! What the pinned release (models/litert.lock) asks for, found by trial:
//! - the interface changed between 2.1.5 and 2.1.6 under the same symbol version: `LiteRtCreateModelFromFd` exists only after it;
//! - the library must never be closed: its exit handlers crash the process if it was unmapped;
//! - flatbuffer constants want 16-byte alignment, which a `Vec<u8>` does not promise;
//! - a model's own shapes may say -1 for the batch; the compiled layout has the real sizes;
//! - threads are set by a TOML text in an opaque option called `xnnpack`.
#![allow(unsafe_code)]

use super::manifest::TensorType;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::path::Path;
use std::ptr;
use std::sync::Arc;

/// A call that failed.
#[derive(Debug)]
pub(super) struct CallError {
    pub(super) call: &'static str,
    pub(super) status: i32,
    pub(super) detail: String,
}

type Handle = *mut c_void;

/// `LiteRtLayout`: low 7 bits of `bits` are the rank.
#[repr(C)]
#[derive(Clone, Copy)]
struct Layout {
    bits: u32,
    dims: [i32; 8],
    strides: [u32; 8],
}

impl Layout {
    const EMPTY: Self = Self {
        bits: 0,
        dims: [0; 8],
        strides: [0; 8],
    };
}

/// `LiteRtRankedTensorType`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Ranked {
    element: c_int,
    layout: Layout,
}

/// `LiteRtEnvOption`: a tag and a `LiteRtAny` that holds an integer.
#[repr(C)]
struct EnvOption {
    tag: c_int,
    _pad: c_int,
    kind: c_int,
    _pad2: c_int,
    value: i64,
}

/// `LiteRtQuantizationPerTensor`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct PerTensor {
    scale: f32,
    zero_point: i64,
}

const _: () = assert!(
    size_of::<Layout>() == 68
        && size_of::<Ranked>() == 72
        && size_of::<EnvOption>() == 24
        && size_of::<PerTensor>() == 16
);

/// `kLiteRtAnyTypeInt`.
const ANY_INT: c_int = 2;
/// Environment option: which accelerators may be looked for; 1 = CPU only, so that no GPU or NPU plug-in is opened.
const OPTION_ACCELERATORS: c_int = 24;
/// Environment option: least severity that is logged; 3 = errors.
const OPTION_LOG_SEVERITY: c_int = 25;
/// `kLiteRtHwAcceleratorCpu`.
const ACCELERATOR_CPU: c_int = 1;
/// `kLiteRtQuantizationPerTensor`.
const QUANTIZED_PER_TENSOR: c_int = 1;
const LOCK_READ: c_int = 0;
const LOCK_WRITE: c_int = 1;

macro_rules! functions {
    ($($field:ident: $symbol:literal ($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct Api {
            $($field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Api {
            fn load(path: &Path) -> Result<Self, String> {
                // SAFETY: the caller has compared the file's sha256 with that of the pinned release, whose initialisers only
                // register C++ statics.
                let library = unsafe { libloading::Library::new(path) }.map_err(|e| e.to_string())?;
                // SAFETY: the signatures are those of litert/c/*.h of the pinned release.
                let api = unsafe {
                    Self { $($field: *library.get($symbol).map_err(|e| e.to_string())?,)* }
                };
                // Never closed (see the top of the file), so the function pointers stay valid for ever.
                std::mem::forget(library);
                Ok(api)
            }
        }
    };
}

functions! {
    create_environment: b"LiteRtCreateEnvironment\0" (c_int, *const EnvOption, *mut Handle) -> c_int;
    destroy_environment: b"LiteRtDestroyEnvironment\0" (Handle);
    create_model: b"LiteRtCreateModelFromBuffer\0" (Handle, *const c_void, usize, *mut Handle) -> c_int;
    // Not called: that it exists proves that `create_model` takes the environment as its first argument.
    _create_model_from_fd: b"LiteRtCreateModelFromFd\0" (Handle, c_int, usize, usize, *mut Handle) -> c_int;
    destroy_model: b"LiteRtDestroyModel\0" (Handle);
    create_options: b"LiteRtCreateOptions\0" (*mut Handle) -> c_int;
    destroy_options: b"LiteRtDestroyOptions\0" (Handle);
    set_accelerators: b"LiteRtSetOptionsHardwareAccelerators\0" (Handle, c_int) -> c_int;
    create_opaque_options: b"LiteRtCreateOpaqueOptions\0"
        (*const c_char, *mut c_void, Option<unsafe extern "C" fn(*mut c_void)>, *mut Handle) -> c_int;
    add_opaque_options: b"LiteRtAddOpaqueOptions\0" (Handle, Handle) -> c_int;
    compile: b"LiteRtCreateCompiledModel\0" (Handle, Handle, Handle, *mut Handle) -> c_int;
    destroy_compiled: b"LiteRtDestroyCompiledModel\0" (Handle);
    fully_accelerated: b"LiteRtCompiledModelIsFullyAccelerated\0" (Handle, *mut bool) -> c_int;
    error_messages: b"LiteRtCompiledModelGetErrorMessages\0" (Handle, *mut *mut c_char) -> c_int;
    resize_input: b"LiteRtCompiledModelResizeInputTensorNonStrict\0" (Handle, usize, usize, *const c_int, usize) -> c_int;
    run: b"LiteRtRunCompiledModel\0" (Handle, usize, usize, *mut Handle, usize, *mut Handle) -> c_int;
    signature: b"LiteRtGetModelSignature\0" (Handle, usize, *mut Handle) -> c_int;
    input_count: b"LiteRtGetNumSignatureInputs\0" (Handle, *mut usize) -> c_int;
    output_count: b"LiteRtGetNumSignatureOutputs\0" (Handle, *mut usize) -> c_int;
    input_tensor: b"LiteRtGetSignatureInputTensorByIndex\0" (Handle, usize, *mut Handle) -> c_int;
    output_tensor: b"LiteRtGetSignatureOutputTensorByIndex\0" (Handle, usize, *mut Handle) -> c_int;
    tensor_name: b"LiteRtGetTensorName\0" (Handle, *mut *const c_char) -> c_int;
    ranked_type: b"LiteRtGetRankedTensorType\0" (Handle, *mut Ranked) -> c_int;
    quantization_kind: b"LiteRtGetQuantizationTypeId\0" (Handle, *mut c_int) -> c_int;
    per_tensor: b"LiteRtGetPerTensorQuantization\0" (Handle, *mut PerTensor) -> c_int;
    input_requirements: b"LiteRtGetCompiledModelInputBufferRequirements\0" (Handle, usize, usize, *mut Handle) -> c_int;
    output_requirements: b"LiteRtGetCompiledModelOutputBufferRequirements\0" (Handle, usize, usize, *mut Handle) -> c_int;
    input_layout: b"LiteRtGetCompiledModelInputTensorLayout\0" (Handle, usize, usize, *mut Layout) -> c_int;
    output_layouts: b"LiteRtGetCompiledModelOutputTensorLayouts\0" (Handle, usize, usize, *mut Layout, bool) -> c_int;
    create_buffer: b"LiteRtCreateManagedTensorBufferFromRequirements\0" (Handle, *const Ranked, Handle, *mut Handle) -> c_int;
    destroy_buffer: b"LiteRtDestroyTensorBuffer\0" (Handle);
    packed_size: b"LiteRtGetTensorBufferPackedSize\0" (Handle, *mut usize) -> c_int;
    lock_buffer: b"LiteRtLockTensorBuffer\0" (Handle, *mut *mut c_void, c_int) -> c_int;
    unlock_buffer: b"LiteRtUnlockTensorBuffer\0" (Handle) -> c_int;
}

unsafe extern "C" {
    /// The C library's: LiteRT's error texts are made with its `malloc`.
    fn free(p: *mut c_void);
}

fn done(call: &'static str, status: c_int) -> Result<(), CallError> {
    if status == 0 {
        Ok(())
    } else {
        Err(CallError {
            call,
            status,
            detail: String::new(),
        })
    }
}

struct Environment {
    api: Api,
    handle: Handle,
}

// SAFETY: LiteRT's environment is only read after it was made (models and buffers are made from it), and the library locks
// inside; the functions of `api` have no state.
unsafe impl Send for Environment {}
// SAFETY: as above.
unsafe impl Sync for Environment {}

impl Drop for Environment {
    fn drop(&mut self) {
        // SAFETY: the handle came from `create_environment`, and every session keeps the environment alive through its Arc.
        unsafe { (self.api.destroy_environment)(self.handle) }
    }
}

/// The opened library. Cheap to clone.
#[derive(Clone)]
pub(super) struct Runtime(Arc<Environment>);

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime(libLiteRt.so)")
    }
}

/// Why the library could not be taken into use.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The system's loader refused it, or a function is missing.
    Loader(String),
    /// Its environment could not be made.
    Call(CallError),
}

impl Runtime {
    /// Opens the library. The caller has compared its sha256 with the pinned one.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let api = Api::load(path).map_err(OpenError::Loader)?;
        let option = |tag, value| EnvOption {
            tag,
            _pad: 0,
            kind: ANY_INT,
            _pad2: 0,
            value,
        };
        let options = [
            option(OPTION_ACCELERATORS, 1),
            option(OPTION_LOG_SEVERITY, 3),
        ];
        let mut handle = ptr::null_mut();
        // SAFETY: the options live through the call and their number is right; the handle is written on success only.
        let status = unsafe {
            (api.create_environment)(options.len() as c_int, options.as_ptr(), &mut handle)
        };
        done("LiteRtCreateEnvironment", status).map_err(OpenError::Call)?;
        Ok(Self(Arc::new(Environment { api, handle })))
    }

    /// Compiles a model for the CPU with `threads` threads. The caller has compared the bytes with their sha256.
    pub(super) fn compile(&self, model: &[u8], threads: u32) -> Result<Session, CallError> {
        let api = &self.0.api;
        let mut aligned = vec![0_u128; model.len().div_ceil(16)];
        // SAFETY: `aligned` has room for all bytes of `model`, and the two do not overlap.
        unsafe {
            ptr::copy_nonoverlapping(model.as_ptr(), aligned.as_mut_ptr().cast(), model.len());
        }
        // From here on the session owns what was made, so that an error on the way frees it.
        let mut session = Session {
            runtime: self.clone(),
            model: ptr::null_mut(),
            compiled: ptr::null_mut(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            buffers: Buffers::default(),
            _bytes: aligned,
        };
        // SAFETY: the bytes are kept by the session as long as the model lives.
        done("LiteRtCreateModelFromBuffer", unsafe {
            (api.create_model)(
                self.0.handle,
                session._bytes.as_ptr().cast(),
                model.len(),
                &mut session.model,
            )
        })?;
        let options = Options::new(api)?;
        options.add(c"xnnpack", format!("num_threads = {threads}\n"))?;
        // Errors are kept in a buffer and come back with the call that failed, instead of going to stderr.
        options.add(
            c"runtime_options_string",
            "error_reporter_mode = 2\n".to_owned(),
        )?;
        // SAFETY: environment, model and options are live handles; the compiled model keeps no pointer to the options.
        done("LiteRtCreateCompiledModel", unsafe {
            (api.compile)(
                self.0.handle,
                session.model,
                options.handle,
                &mut session.compiled,
            )
        })?;
        session.bind_all()?;
        Ok(session)
    }
}

struct Options<'a> {
    api: &'a Api,
    handle: Handle,
}

impl<'a> Options<'a> {
    fn new(api: &'a Api) -> Result<Self, CallError> {
        let mut handle = ptr::null_mut();
        // SAFETY: the handle is written on success only.
        done("LiteRtCreateOptions", unsafe {
            (api.create_options)(&mut handle)
        })?;
        let options = Self { api, handle };
        // SAFETY: a live handle.
        done("LiteRtSetOptionsHardwareAccelerators", unsafe {
            (api.set_accelerators)(handle, ACCELERATOR_CPU)
        })?;
        Ok(options)
    }

    fn add(&self, name: &CStr, toml: String) -> Result<(), CallError> {
        unsafe extern "C" fn free_text(text: *mut c_void) {
            // SAFETY: LiteRT calls it once with the pointer that `CString::into_raw` gave below.
            drop(unsafe { CString::from_raw(text.cast()) });
        }
        let text = CString::new(toml).map_err(|_| CallError {
            call: "option text",
            status: -1,
            detail: ": contains a zero byte".into(),
        })?;
        let mut opaque = ptr::null_mut();
        // SAFETY: the name is copied; the text is handed over together with the function that frees it.
        done("LiteRtCreateOpaqueOptions", unsafe {
            (self.api.create_opaque_options)(
                name.as_ptr(),
                text.into_raw().cast(),
                Some(free_text),
                &mut opaque,
            )
        })?;
        // SAFETY: both handles are live; the options take the opaque ones over.
        done("LiteRtAddOpaqueOptions", unsafe {
            (self.api.add_opaque_options)(self.handle, opaque)
        })
    }
}

impl Drop for Options<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle came from `create_options` and is used nowhere else.
        unsafe { (self.api.destroy_options)(self.handle) }
    }
}

/// What the compiled model says of one of its tensors.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: String,
    /// `None`: a type that no model of the booth uses.
    pub(super) dtype: Option<TensorType>,
    pub(super) dims: Vec<i32>,
    /// Scale and zero point, if quantized per tensor.
    pub(super) quantization: Option<(f32, i64)>,
    /// Size of its buffer.
    pub(super) bytes: usize,
}

#[derive(Default)]
struct Buffers {
    inputs: Vec<Handle>,
    outputs: Vec<Handle>,
}

/// A compiled model with its buffers.
pub(super) struct Session {
    runtime: Runtime,
    model: Handle,
    compiled: Handle,
    pub(super) inputs: Vec<Found>,
    pub(super) outputs: Vec<Found>,
    buffers: Buffers,
    _bytes: Vec<u128>,
}

// SAFETY: a compiled model has no thread affinity. It is not Sync (raw pointers), so only one thread uses it at a time.
unsafe impl Send for Session {}

impl Session {
    fn bind_all(&mut self) -> Result<(), CallError> {
        let runtime = self.runtime.clone();
        let api = &runtime.0.api;
        let (mut signature, mut n_inputs, mut n_outputs) = (ptr::null_mut(), 0, 0);
        // SAFETY: the model is live; a model without signatures has one that stands for its first subgraph.
        done("LiteRtGetModelSignature", unsafe {
            (api.signature)(self.model, 0, &mut signature)
        })?;
        // SAFETY: the signature belongs to the live model.
        done("LiteRtGetNumSignatureInputs", unsafe {
            (api.input_count)(signature, &mut n_inputs)
        })?;
        // SAFETY: as above.
        done("LiteRtGetNumSignatureOutputs", unsafe {
            (api.output_count)(signature, &mut n_outputs)
        })?;
        for i in 0..n_inputs {
            let (mut tensor, mut needs, mut layout) =
                (ptr::null_mut(), ptr::null_mut(), Layout::EMPTY);
            // SAFETY: `i` is below the number of inputs.
            done("LiteRtGetSignatureInputTensorByIndex", unsafe {
                (api.input_tensor)(signature, i, &mut tensor)
            })?;
            // SAFETY: as above; the compiled model owns the requirements.
            done("LiteRtGetCompiledModelInputBufferRequirements", unsafe {
                (api.input_requirements)(self.compiled, 0, i, &mut needs)
            })?;
            // SAFETY: as above.
            done("LiteRtGetCompiledModelInputTensorLayout", unsafe {
                (api.input_layout)(self.compiled, 0, i, &mut layout)
            })?;
            let (found, buffer) = bind(&runtime, tensor, needs, layout)?;
            self.inputs.push(found);
            self.buffers.inputs.push(buffer);
        }
        let mut layouts = vec![Layout::EMPTY; n_outputs];
        // SAFETY: `layouts` has room for `n_outputs` layouts.
        done("LiteRtGetCompiledModelOutputTensorLayouts", unsafe {
            (api.output_layouts)(self.compiled, 0, n_outputs, layouts.as_mut_ptr(), true)
        })?;
        for (i, layout) in layouts.into_iter().enumerate() {
            let (mut tensor, mut needs) = (ptr::null_mut(), ptr::null_mut());
            // SAFETY: `i` is below the number of outputs.
            done("LiteRtGetSignatureOutputTensorByIndex", unsafe {
                (api.output_tensor)(signature, i, &mut tensor)
            })?;
            // SAFETY: as above; the compiled model owns the requirements.
            done("LiteRtGetCompiledModelOutputBufferRequirements", unsafe {
                (api.output_requirements)(self.compiled, 0, i, &mut needs)
            })?;
            let (found, buffer) = bind(&runtime, tensor, needs, layout)?;
            self.outputs.push(found);
            self.buffers.outputs.push(buffer);
        }
        // LiteRT's host memory comes as `malloc` gives it; lent slices have to be initialised.
        let inputs = self.buffers.inputs.iter().zip(&self.inputs);
        for (buffer, found) in inputs.chain(self.buffers.outputs.iter().zip(&self.outputs)) {
            let lock = Lock::new(api, *buffer, found.bytes, LOCK_WRITE)?;
            // SAFETY: the buffer has that many bytes and is locked for writing.
            unsafe { ptr::write_bytes(lock.address, 0, lock.bytes) };
        }
        Ok(())
    }

    /// Gives input `i` another shape; all tensors are described anew, and what was in them is wiped.
    pub(super) fn resize(&mut self, i: usize, dims: &[i32]) -> Result<(), CallError> {
        let runtime = self.runtime.clone();
        let api = &runtime.0.api;
        // SAFETY: a live handle, and `dims` has as many lengths as is said; a model of another rank or with fewer inputs is an error.
        done("LiteRtCompiledModelResizeInputTensorNonStrict", unsafe {
            (api.resize_input)(self.compiled, 0, i, dims.as_ptr(), dims.len())
        })?;
        self.drop_buffers();
        self.bind_all()
    }

    /// Wipes and frees the buffers of all tensors.
    fn drop_buffers(&mut self) {
        let api = &self.runtime.0.api;
        let inputs = self.buffers.inputs.drain(..).zip(self.inputs.drain(..));
        let outputs = self.buffers.outputs.drain(..).zip(self.outputs.drain(..));
        for (buffer, found) in inputs.chain(outputs) {
            if let Ok(lock) = Lock::new(api, buffer, found.bytes, LOCK_WRITE) {
                // SAFETY: the buffer has that many bytes and is locked for writing.
                unsafe { ptr::write_bytes(lock.address, 0, lock.bytes) };
            }
            // SAFETY: the handle came from `bind`, is no longer in `self.buffers`, and is not locked.
            unsafe { (api.destroy_buffer)(buffer) };
        }
    }

    /// Whether every operator runs on the fast kernels.
    pub(super) fn fully_accelerated(&self) -> Result<bool, CallError> {
        let mut full = false;
        // SAFETY: a live handle; the flag is written on success only.
        done("LiteRtCompiledModelIsFullyAccelerated", unsafe {
            (self.runtime.0.api.fully_accelerated)(self.compiled, &mut full)
        })?;
        Ok(full)
    }

    /// Runs the model on what is in its input buffers.
    pub(super) fn run(&mut self) -> Result<(), CallError> {
        let api = &self.runtime.0.api;
        let Buffers { inputs, outputs } = &mut self.buffers;
        // SAFETY: all handles are live, the counts are right, and no buffer is locked: locks end before `with_*` returns.
        let status = unsafe {
            (api.run)(
                self.compiled,
                0,
                inputs.len(),
                inputs.as_mut_ptr(),
                outputs.len(),
                outputs.as_mut_ptr(),
            )
        };
        if status == 0 {
            return Ok(());
        }
        let (mut text, mut detail) = (ptr::null_mut(), String::new());
        // SAFETY: a live handle; on success the text is a C string that is ours to free.
        unsafe {
            if (api.error_messages)(self.compiled, &mut text) == 0 && !text.is_null() {
                detail = format!(": {}", CStr::from_ptr(text).to_string_lossy().trim_end());
                free(text.cast());
            }
        }
        Err(CallError {
            call: "LiteRtRunCompiledModel",
            status,
            detail,
        })
    }

    /// Lends the bytes of input `i` for writing, aligned for every element type.
    pub(super) fn with_input<R>(
        &mut self,
        i: usize,
        fill: impl FnOnce(&mut [u8]) -> R,
    ) -> Result<R, CallError> {
        let lock = Lock::new(
            &self.runtime.0.api,
            self.buffers.inputs[i],
            self.inputs[i].bytes,
            LOCK_WRITE,
        )?;
        // SAFETY: the buffer has that many bytes, is locked for writing until `lock` is dropped, and `&mut self` keeps every
        // other access out. `bind_all` has initialised it; any byte is a valid u8.
        let bytes = unsafe { std::slice::from_raw_parts_mut(lock.address, lock.bytes) };
        Ok(fill(bytes))
    }

    /// Lends the bytes of output `i` for reading, aligned for every element type.
    pub(super) fn with_output<R>(
        &self,
        i: usize,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, CallError> {
        let lock = Lock::new(
            &self.runtime.0.api,
            self.buffers.outputs[i],
            self.outputs[i].bytes,
            LOCK_READ,
        )?;
        // SAFETY: as in `with_input`; nothing writes outputs but `run`, which needs `&mut self`.
        let bytes = unsafe { std::slice::from_raw_parts(lock.address, lock.bytes) };
        Ok(read(bytes))
    }
}

/// Fills in what is known of a tensor and makes its buffer.
fn bind(
    runtime: &Runtime,
    tensor: Handle,
    needs: Handle,
    layout: Layout,
) -> Result<(Found, Handle), CallError> {
    let api = &runtime.0.api;
    let mut ranked = Ranked {
        element: 0,
        layout: Layout::EMPTY,
    };
    // SAFETY: the tensor belongs to a live model.
    done("LiteRtGetRankedTensorType", unsafe {
        (api.ranked_type)(tensor, &mut ranked)
    })?;
    ranked.layout = layout;
    let rank = ((layout.bits & 0x7f) as usize).min(layout.dims.len());
    let mut name = ptr::null();
    // SAFETY: as above.
    done("LiteRtGetTensorName", unsafe {
        (api.tensor_name)(tensor, &mut name)
    })?;
    let name = if name.is_null() {
        String::new()
    } else {
        // SAFETY: LiteRT gives a zero-terminated text that lives as long as the model.
        unsafe { CStr::from_ptr(name) }
            .to_string_lossy()
            .into_owned()
    };
    let (mut kind, mut quantization) = (0, None);
    // SAFETY: as above.
    done("LiteRtGetQuantizationTypeId", unsafe {
        (api.quantization_kind)(tensor, &mut kind)
    })?;
    if kind == QUANTIZED_PER_TENSOR {
        let mut found = PerTensor::default();
        // SAFETY: as above.
        done("LiteRtGetPerTensorQuantization", unsafe {
            (api.per_tensor)(tensor, &mut found)
        })?;
        quantization = Some((found.scale, found.zero_point));
    }
    let mut buffer = ptr::null_mut();
    // SAFETY: environment, type and requirements are live; the buffer is written on success only.
    done("LiteRtCreateManagedTensorBufferFromRequirements", unsafe {
        (api.create_buffer)(runtime.0.handle, &ranked, needs, &mut buffer)
    })?;
    let mut bytes = 0;
    // SAFETY: the buffer was just made.
    let sized = done("LiteRtGetTensorBufferPackedSize", unsafe {
        (api.packed_size)(buffer, &mut bytes)
    });
    if let Err(error) = sized {
        // SAFETY: nobody else has the buffer.
        unsafe { (api.destroy_buffer)(buffer) };
        return Err(error);
    }
    let found = Found {
        name,
        dtype: match ranked.element {
            1 => Some(TensorType::Float32),
            9 => Some(TensorType::Int8),
            _ => None,
        },
        dims: layout.dims[..rank].to_vec(),
        quantization,
        bytes,
    };
    Ok((found, buffer))
}

struct Lock<'a> {
    api: &'a Api,
    buffer: Handle,
    address: *mut u8,
    bytes: usize,
}

impl<'a> Lock<'a> {
    fn new(api: &'a Api, buffer: Handle, bytes: usize, mode: c_int) -> Result<Self, CallError> {
        let mut address = ptr::null_mut();
        // SAFETY: a live buffer; the address is written on success only.
        done("LiteRtLockTensorBuffer", unsafe {
            (api.lock_buffer)(buffer, &mut address, mode)
        })?;
        let lock = Self {
            api,
            buffer,
            address: address.cast(),
            bytes,
        };
        if lock.address.is_null() || !lock.address.addr().is_multiple_of(16) {
            return Err(CallError {
                call: "LiteRtLockTensorBuffer",
                status: 0,
                detail: ": the buffer is not aligned to 16 bytes".into(),
            });
        }
        Ok(lock)
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // An unlock cannot fail for host memory, and there is nobody to tell in a drop.
        // SAFETY: the buffer is live and was locked by `new`.
        let _ = unsafe { (self.api.unlock_buffer)(self.buffer) };
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let api = &self.runtime.0.api;
        // SAFETY: every handle was made by its creator and is destroyed once, buffers first; the bytes and the environment
        // are dropped after this.
        unsafe {
            for buffer in self
                .buffers
                .inputs
                .drain(..)
                .chain(self.buffers.outputs.drain(..))
            {
                (api.destroy_buffer)(buffer);
            }
            if !self.compiled.is_null() {
                (api.destroy_compiled)(self.compiled);
            }
            if !self.model.is_null() {
                (api.destroy_model)(self.model);
            }
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

/// `bytes` as real numbers; a remainder of less than a number is left out.
pub(super) fn as_f32(bytes: &[u8]) -> &[f32] {
    // SAFETY: every bit pattern is an f32; `align_to` keeps to the alignment, and the lock made sure that nothing is cut off.
    unsafe { bytes.align_to().1 }
}

/// As [`as_f32`], for writing.
pub(super) fn as_f32_mut(bytes: &mut [u8]) -> &mut [f32] {
    // SAFETY: as above.
    unsafe { bytes.align_to_mut().1 }
}

/// `bytes` as quantized numbers.
pub(super) fn as_i8(bytes: &[u8]) -> &[i8] {
    // SAFETY: u8 and i8 have the same size and alignment and no invalid values.
    unsafe { bytes.align_to().1 }
}

/// As [`as_i8`], for writing.
pub(super) fn as_i8_mut(bytes: &mut [u8]) -> &mut [i8] {
    // SAFETY: as above.
    unsafe { bytes.align_to_mut().1 }
}
