//! TFLite itself: a small binding to `libLiteRt.so` of the PyPI wheel ai-edge-litert 2.3.0, opened at run time.
//!
//! JUSTIFICATION of `unsafe`, for the whole file: no published crate is both current and able to set threads
//! (docs/dependencies.md), and a C library cannot be called otherwise. The rules that make it sound:
//!
//! * The library is pinned: its SHA-256 was compared by [`super::catalogue`] before it is opened. The signatures below are
//!   those of `litert/c/*.h` of that release; `LiteRtCreateModelFromFd` exists only since the release that gave
//!   `LiteRtCreateModelFromBuffer` its environment argument, so its presence proves the ABI.
//! * The library is never closed: it registers exit handlers and crashes the process if it is unmapped.
//! * Every handle is owned by one Rust value, which destroys it in the reverse order of creation and keeps what it needs alive.
//! * A buffer's memory is borrowed only between lock and unlock, inside a closure.
#![allow(unsafe_code)]

use super::ModelError;
use super::interpreter::{TensorMut, TensorRef};
use super::manifest::{Dtype, ModelTask, TensorEntry};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::Arc;

type Handle = *mut c_void;

#[repr(C)]
#[derive(Clone, Copy)]
struct Layout {
    /// Rank in the lower seven bits, "has strides" above.
    bits: u32,
    dims: [i32; 8],
    strides: [u32; 8],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct RankedType {
    element: c_int,
    layout: Layout,
}

/// `LiteRtEnvOption`: a tag and a `LiteRtAny` (type and union), both padded to eight bytes.
#[repr(C)]
struct EnvironmentOption {
    tag: c_int,
    pad0: c_int,
    kind: c_int,
    pad1: c_int,
    value: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Quantization {
    scale: f32,
    zero_point: i64,
}

const _: () = assert!(size_of::<Layout>() == 68 && size_of::<RankedType>() == 72);
const _: () = assert!(size_of::<EnvironmentOption>() == 24 && size_of::<Quantization>() == 16);

macro_rules! api {
    ($($field:ident: $symbol:literal($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        struct Api { $($field: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)* }

        impl Api {
            fn load(path: &Path) -> Result<Self, ModelError> {
                let fail = |e: libloading::Error| ModelError::Library { path: path.to_owned(), detail: e.to_string() };
                // SAFETY: the file is the pinned library (hash compared); its initialisers only register C++ statics.
                let library = unsafe { libloading::Library::new(path) }.map_err(fail)?;
                // Never closed, see the module's doc.
                let library: &'static libloading::Library = Box::leak(Box::new(library));
                // SAFETY: the signatures are those of the pinned release's headers.
                unsafe { Ok(Self { $($field: *library.get($symbol).map_err(fail)?,)* }) }
            }
        }
    };
}

api! {
    create_environment: b"LiteRtCreateEnvironment\0"(c_int, *const c_void, *mut Handle) -> c_int;
    destroy_environment: b"LiteRtDestroyEnvironment\0"(Handle);
    model_from_buffer: b"LiteRtCreateModelFromBuffer\0"(Handle, *const c_void, usize, *mut Handle) -> c_int;
    _model_from_fd: b"LiteRtCreateModelFromFd\0"(Handle, c_int, usize, usize, *mut Handle) -> c_int;
    destroy_model: b"LiteRtDestroyModel\0"(Handle);
    create_options: b"LiteRtCreateOptions\0"(*mut Handle) -> c_int;
    destroy_options: b"LiteRtDestroyOptions\0"(Handle);
    set_accelerators: b"LiteRtSetOptionsHardwareAccelerators\0"(Handle, c_int) -> c_int;
    create_opaque: b"LiteRtCreateOpaqueOptions\0"(*const c_char, Handle, Option<unsafe extern "C" fn(Handle)>, *mut Handle) -> c_int;
    add_opaque: b"LiteRtAddOpaqueOptions\0"(Handle, Handle) -> c_int;
    compile: b"LiteRtCreateCompiledModel\0"(Handle, Handle, Handle, *mut Handle) -> c_int;
    destroy_compiled: b"LiteRtDestroyCompiledModel\0"(Handle);
    fully_accelerated: b"LiteRtCompiledModelIsFullyAccelerated\0"(Handle, *mut bool) -> c_int;
    run: b"LiteRtRunCompiledModel\0"(Handle, usize, usize, *mut Handle, usize, *mut Handle) -> c_int;
    signature: b"LiteRtGetModelSignature\0"(Handle, usize, *mut Handle) -> c_int;
    n_inputs: b"LiteRtGetNumSignatureInputs\0"(Handle, *mut usize) -> c_int;
    n_outputs: b"LiteRtGetNumSignatureOutputs\0"(Handle, *mut usize) -> c_int;
    input_tensor: b"LiteRtGetSignatureInputTensorByIndex\0"(Handle, usize, *mut Handle) -> c_int;
    output_tensor: b"LiteRtGetSignatureOutputTensorByIndex\0"(Handle, usize, *mut Handle) -> c_int;
    tensor_name: b"LiteRtGetTensorName\0"(Handle, *mut *const c_char) -> c_int;
    ranked_type: b"LiteRtGetRankedTensorType\0"(Handle, *mut RankedType) -> c_int;
    quantization_id: b"LiteRtGetQuantizationTypeId\0"(Handle, *mut c_int) -> c_int;
    per_tensor: b"LiteRtGetPerTensorQuantization\0"(Handle, *mut Quantization) -> c_int;
    input_requirements: b"LiteRtGetCompiledModelInputBufferRequirements\0"(Handle, usize, usize, *mut Handle) -> c_int;
    output_requirements: b"LiteRtGetCompiledModelOutputBufferRequirements\0"(Handle, usize, usize, *mut Handle) -> c_int;
    input_layout: b"LiteRtGetCompiledModelInputTensorLayout\0"(Handle, usize, usize, *mut Layout) -> c_int;
    output_layouts: b"LiteRtGetCompiledModelOutputTensorLayouts\0"(Handle, usize, usize, *mut Layout, bool) -> c_int;
    buffer_from_requirements: b"LiteRtCreateManagedTensorBufferFromRequirements\0"(Handle, *const RankedType, Handle, *mut Handle) -> c_int;
    destroy_buffer: b"LiteRtDestroyTensorBuffer\0"(Handle);
    packed_size: b"LiteRtGetTensorBufferPackedSize\0"(Handle, *mut usize) -> c_int;
    lock: b"LiteRtLockTensorBuffer\0"(Handle, *mut Handle, c_int) -> c_int;
    unlock: b"LiteRtUnlockTensorBuffer\0"(Handle) -> c_int;
}

/// Status 0 is success.
fn check(task: &str, call: &'static str, status: c_int) -> Result<(), ModelError> {
    if status == 0 {
        return Ok(());
    }
    Err(ModelError::Runtime {
        task: task.to_owned(),
        call,
        status,
        detail: String::new(),
    })
}

struct Environment {
    api: Api,
    handle: Handle,
}

// SAFETY: the environment is internally synchronised and is only used to create objects; the function pointers are constant.
unsafe impl Send for Environment {}
// SAFETY: as above.
unsafe impl Sync for Environment {}

impl Drop for Environment {
    fn drop(&mut self) {
        // SAFETY: created once, destroyed once, after all sessions that hold an `Arc` to it.
        unsafe { (self.api.destroy_environment)(self.handle) }
    }
}

/// The loaded runtime; cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Environment>);

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LiteRT 2.3.0")
    }
}

/// `kLiteRtEnvOptionTag…`: allowed accelerators and least severity of the log.
const OPTION_ACCELERATORS: c_int = 24;
/// Least severity of the log.
const OPTION_LOG_SEVERITY: c_int = 25;
/// `kLiteRtAnyTypeInt`.
const ANY_INT: c_int = 2;
/// `kLiteRtHwAcceleratorCpu`.
const ACCELERATOR_CPU: c_int = 1;
/// Errors only.
const SEVERITY_ERROR: i64 = 3;
/// `kLiteRtTensorBufferLockMode…`.
const LOCK_READ: c_int = 0;
/// For writing.
const LOCK_WRITE: c_int = 1;

impl Runtime {
    /// Opens the library, whose hash the caller has compared.
    ///
    /// # Errors
    /// [`ModelError::Library`] if it cannot be loaded or lacks a symbol.
    pub(super) fn load(path: &Path) -> Result<Self, ModelError> {
        let api = Api::load(path)?;
        let option = |tag, value| EnvironmentOption {
            tag,
            pad0: 0,
            kind: ANY_INT,
            pad1: 0,
            value,
        };
        let options = [
            option(OPTION_ACCELERATORS, i64::from(ACCELERATOR_CPU)),
            option(OPTION_LOG_SEVERITY, SEVERITY_ERROR),
        ];
        let mut handle = ptr::null_mut();
        // SAFETY: `options` outlives the call, which copies it; `handle` is a valid place for the result.
        let status = unsafe {
            (api.create_environment)(options.len() as c_int, options.as_ptr().cast(), &mut handle)
        };
        check("runtime", "LiteRtCreateEnvironment", status)?;
        Ok(Self(Arc::new(Environment { api, handle })))
    }

    /// Compiles a model, whose hash the caller has compared, for the CPU with XNNPACK on `threads` threads.
    ///
    /// # Errors
    /// [`ModelError::Runtime`] with the call that failed.
    pub(super) fn compile(
        &self,
        task: ModelTask,
        bytes: &[u8],
        threads: u8,
    ) -> Result<Session, ModelError> {
        Session::new(self.clone(), task, bytes, threads)
    }
}

/// Owns compile options until the model is compiled.
struct Options<'a> {
    api: &'a Api,
    handle: Handle,
}

impl Drop for Options<'_> {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // SAFETY: created once, destroyed once; the compiled model copies what it needs.
            unsafe { (self.api.destroy_options)(self.handle) }
        }
    }
}

/// A compiled model with its buffers.
pub(super) struct Session {
    runtime: Runtime,
    task: ModelTask,
    model: Handle,
    compiled: Handle,
    input_buffers: Vec<Handle>,
    output_buffers: Vec<Handle>,
    inputs: Vec<TensorEntry>,
    outputs: Vec<TensorEntry>,
    /// The flatbuffer, aligned to 16 bytes; the model refers to it as long as it lives.
    _bytes: Box<[u128]>,
}

// SAFETY: a compiled model has no thread affinity; running and writing need `&mut self`, and reading outputs takes the
// runtime's lock on a buffer that only `run` writes. It is not `Sync` (raw handles), so no two threads read at once.
unsafe impl Send for Session {}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.task)
    }
}

impl Session {
    fn new(
        runtime: Runtime,
        task: ModelTask,
        bytes: &[u8],
        threads: u8,
    ) -> Result<Self, ModelError> {
        // Constants inside the flatbuffer need alignment, which a `Vec<u8>` does not promise.
        let mut aligned = vec![0u128; bytes.len().div_ceil(16)].into_boxed_slice();
        // SAFETY: the destination has at least `bytes.len()` bytes and does not overlap the source.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), aligned.as_mut_ptr().cast(), bytes.len())
        };
        let mut session = Self {
            runtime,
            task,
            model: ptr::null_mut(),
            compiled: ptr::null_mut(),
            input_buffers: Vec::new(),
            output_buffers: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            _bytes: aligned,
        };
        session.compile(bytes.len(), threads)?;
        session.bind_all()?;
        Ok(session)
    }

    fn compile(&mut self, len: usize, threads: u8) -> Result<(), ModelError> {
        unsafe extern "C" fn free_text(text: Handle) {
            // SAFETY: the pointer came from `CString::into_raw` below and is given back once.
            drop(unsafe { CString::from_raw(text.cast()) });
        }
        let (api, name) = (&self.runtime.0.api, self.task.name());
        let environment = self.runtime.0.handle;
        let toml = CString::new(format!("num_threads = {threads}\n")).expect("a number has no NUL");
        let mut options = Options {
            api,
            handle: ptr::null_mut(),
        };
        let mut opaque = ptr::null_mut();
        // SAFETY: all handles are valid or places for results; `_bytes` lives as long as the model; the text is freed by
        // `free_text` when the options are destroyed.
        unsafe {
            let status = (api.model_from_buffer)(
                environment,
                self._bytes.as_ptr().cast(),
                len,
                &mut self.model,
            );
            check(name, "LiteRtCreateModelFromBuffer", status)?;
            check(
                name,
                "LiteRtCreateOptions",
                (api.create_options)(&mut options.handle),
            )?;
            let status = (api.set_accelerators)(options.handle, ACCELERATOR_CPU);
            check(name, "LiteRtSetOptionsHardwareAccelerators", status)?;
            let status = (api.create_opaque)(
                c"xnnpack".as_ptr(),
                toml.into_raw().cast(),
                Some(free_text),
                &mut opaque,
            );
            check(name, "LiteRtCreateOpaqueOptions", status)?;
            check(
                name,
                "LiteRtAddOpaqueOptions",
                (api.add_opaque)(options.handle, opaque),
            )?;
            let status = (api.compile)(environment, self.model, options.handle, &mut self.compiled);
            check(name, "LiteRtCreateCompiledModel", status)
        }
    }

    fn bind_all(&mut self) -> Result<(), ModelError> {
        let name = self.task.name();
        let mut signature = ptr::null_mut();
        let (mut n_inputs, mut n_outputs) = (0, 0);
        {
            let api = &self.runtime.0.api;
            // SAFETY: the model is valid; the others are places for results.
            unsafe {
                check(
                    name,
                    "LiteRtGetModelSignature",
                    (api.signature)(self.model, 0, &mut signature),
                )?;
                check(
                    name,
                    "LiteRtGetNumSignatureInputs",
                    (api.n_inputs)(signature, &mut n_inputs),
                )?;
                check(
                    name,
                    "LiteRtGetNumSignatureOutputs",
                    (api.n_outputs)(signature, &mut n_outputs),
                )?;
            }
        }
        let empty = Layout {
            bits: 0,
            dims: [0; 8],
            strides: [0; 8],
        };
        for i in 0..n_inputs {
            let (mut tensor, mut requirements, mut layout) =
                (ptr::null_mut(), ptr::null_mut(), empty);
            let api = &self.runtime.0.api;
            // SAFETY: as above; `i` is below the number of inputs.
            unsafe {
                check(
                    name,
                    "LiteRtGetSignatureInputTensorByIndex",
                    (api.input_tensor)(signature, i, &mut tensor),
                )?;
                let status = (api.input_requirements)(self.compiled, 0, i, &mut requirements);
                check(
                    name,
                    "LiteRtGetCompiledModelInputBufferRequirements",
                    status,
                )?;
                let status = (api.input_layout)(self.compiled, 0, i, &mut layout);
                check(name, "LiteRtGetCompiledModelInputTensorLayout", status)?;
            }
            let (entry, buffer) = self.bind(tensor, requirements, layout)?;
            self.inputs.push(entry);
            self.input_buffers.push(buffer);
        }
        let mut layouts = vec![empty; n_outputs];
        // SAFETY: `layouts` has room for `n_outputs` layouts.
        let status = unsafe {
            (self.runtime.0.api.output_layouts)(
                self.compiled,
                0,
                n_outputs,
                layouts.as_mut_ptr(),
                true,
            )
        };
        check(name, "LiteRtGetCompiledModelOutputTensorLayouts", status)?;
        for (i, layout) in layouts.into_iter().enumerate() {
            let (mut tensor, mut requirements) = (ptr::null_mut(), ptr::null_mut());
            let api = &self.runtime.0.api;
            // SAFETY: as above; `i` is below the number of outputs.
            unsafe {
                check(
                    name,
                    "LiteRtGetSignatureOutputTensorByIndex",
                    (api.output_tensor)(signature, i, &mut tensor),
                )?;
                let status = (api.output_requirements)(self.compiled, 0, i, &mut requirements);
                check(
                    name,
                    "LiteRtGetCompiledModelOutputBufferRequirements",
                    status,
                )?;
            }
            let (entry, buffer) = self.bind(tensor, requirements, layout)?;
            self.outputs.push(entry);
            self.output_buffers.push(buffer);
        }
        Ok(())
    }

    /// Describes a tensor and makes its buffer. `layout` is the compiled one: the model's own may have open sizes (-1).
    fn bind(
        &self,
        tensor: Handle,
        requirements: Handle,
        layout: Layout,
    ) -> Result<(TensorEntry, Handle), ModelError> {
        let (api, task) = (&self.runtime.0.api, self.task.name());
        let mut ranked = RankedType { element: 0, layout };
        let (mut name, mut id, mut quantization) = (ptr::null(), 0, Quantization::default());
        // SAFETY: the tensor belongs to the living model; the others are places for results. The name is a NUL-terminated
        // text inside the model.
        let name = unsafe {
            check(
                task,
                "LiteRtGetRankedTensorType",
                (api.ranked_type)(tensor, &mut ranked),
            )?;
            check(
                task,
                "LiteRtGetTensorName",
                (api.tensor_name)(tensor, &mut name),
            )?;
            check(
                task,
                "LiteRtGetQuantizationTypeId",
                (api.quantization_id)(tensor, &mut id),
            )?;
            if id == 1 {
                check(
                    task,
                    "LiteRtGetPerTensorQuantization",
                    (api.per_tensor)(tensor, &mut quantization),
                )?;
            }
            CStr::from_ptr(name).to_string_lossy().into_owned()
        };
        ranked.layout = layout;
        let other = |detail: String| ModelError::Runtime {
            task: task.to_owned(),
            call: "tensor",
            status: -1,
            detail,
        };
        let rank = (layout.bits & 0x7f) as usize;
        let dims = layout
            .dims
            .get(..rank)
            .ok_or_else(|| other(format!(" of rank {rank}")))?;
        let shape = dims
            .iter()
            .map(|d| u32::try_from(*d))
            .collect::<Result<Vec<_>, _>>();
        let shape = shape.map_err(|_| other(format!(" `{name}` with an open size {dims:?}")))?;
        let dtype = match ranked.element {
            1 => Dtype::Float32,
            3 => Dtype::Uint8,
            9 => Dtype::Int8,
            other_type => {
                return Err(other(format!(
                    " `{name}` with element type {other_type}, allowed: float32, uint8, int8"
                )));
            }
        };
        let quantized = id == 1 && dtype != Dtype::Float32;
        let entry = TensorEntry {
            name,
            dtype,
            shape,
            scale: quantized.then_some(quantization.scale),
            zero_point: quantized.then_some(quantization.zero_point),
            meaning: None,
        };
        let (mut buffer, mut bytes) = (ptr::null_mut(), 0);
        // SAFETY: `ranked` outlives the call; `requirements` belong to the compiled model; the others are places for results.
        unsafe {
            let environment = self.runtime.0.handle;
            let status =
                (api.buffer_from_requirements)(environment, &ranked, requirements, &mut buffer);
            check(
                task,
                "LiteRtCreateManagedTensorBufferFromRequirements",
                status,
            )?;
            let status = (api.packed_size)(buffer, &mut bytes);
            if status != 0 || bytes != entry.len() * entry.dtype.size() {
                (api.destroy_buffer)(buffer);
                return Err(other(format!(
                    " `{}` has {bytes} bytes, its shape needs another number",
                    entry.name
                )));
            }
        }
        Ok((entry, buffer))
    }

    /// Input tensors as the runtime describes them.
    pub(super) fn inputs(&self) -> &[TensorEntry] {
        &self.inputs
    }

    /// Output tensors as the runtime describes them.
    pub(super) fn outputs(&self) -> &[TensorEntry] {
        &self.outputs
    }

    /// Whether every operator runs on an accelerated kernel.
    pub(super) fn is_fully_accelerated(&self) -> Result<bool, ModelError> {
        let mut fully = false;
        // SAFETY: the compiled model is valid, `fully` is a place for the result.
        let status = unsafe { (self.runtime.0.api.fully_accelerated)(self.compiled, &mut fully) };
        check(
            self.task.name(),
            "LiteRtCompiledModelIsFullyAccelerated",
            status,
        )?;
        Ok(fully)
    }

    /// Runs the model on its buffers.
    pub(super) fn run(&mut self) -> Result<(), ModelError> {
        let (inputs, outputs) = (&mut self.input_buffers, &mut self.output_buffers);
        // SAFETY: all handles are valid and unlocked, `&mut self` keeps other calls away.
        let status = unsafe {
            let (n_in, n_out) = (inputs.len(), outputs.len());
            (self.runtime.0.api.run)(
                self.compiled,
                0,
                n_in,
                inputs.as_mut_ptr(),
                n_out,
                outputs.as_mut_ptr(),
            )
        };
        check(self.task.name(), "LiteRtRunCompiledModel", status)
    }

    /// Lends input `i` to `fill`.
    pub(super) fn with_input<R>(
        &mut self,
        i: usize,
        dtype: Dtype,
        fill: impl FnOnce(TensorMut<'_>) -> R,
    ) -> Result<R, ModelError> {
        let n = self.inputs[i].len();
        let locked = Locked::new(self, self.input_buffers[i], LOCK_WRITE)?;
        debug_assert_eq!(dtype, self.inputs[i].dtype);
        // SAFETY: the buffer has `n` elements of this type (compared in `bind`), is aligned by the runtime to 64 bytes,
        // stays locked until `locked` is dropped, and `&mut self` makes the borrow exclusive.
        let tensor = unsafe {
            match self.inputs[i].dtype {
                Dtype::Int8 => {
                    TensorMut::I8(std::slice::from_raw_parts_mut(locked.memory.cast(), n))
                }
                Dtype::Uint8 => {
                    TensorMut::U8(std::slice::from_raw_parts_mut(locked.memory.cast(), n))
                }
                Dtype::Float32 => {
                    TensorMut::F32(std::slice::from_raw_parts_mut(locked.memory.cast(), n))
                }
            }
        };
        Ok(fill(tensor))
    }

    /// Lends output `i` to `read`.
    pub(super) fn with_output<R>(
        &self,
        i: usize,
        dtype: Dtype,
        read: impl FnOnce(TensorRef<'_>) -> R,
    ) -> Result<R, ModelError> {
        let n = self.outputs[i].len();
        let locked = Locked::new(self, self.output_buffers[i], LOCK_READ)?;
        debug_assert_eq!(dtype, self.outputs[i].dtype);
        // SAFETY: as in `with_input`; only `run` writes outputs, and it needs `&mut self`.
        let tensor = unsafe {
            match self.outputs[i].dtype {
                Dtype::Int8 => TensorRef::I8(std::slice::from_raw_parts(locked.memory.cast(), n)),
                Dtype::Uint8 => TensorRef::U8(std::slice::from_raw_parts(locked.memory.cast(), n)),
                Dtype::Float32 => {
                    TensorRef::F32(std::slice::from_raw_parts(locked.memory.cast(), n))
                }
            }
        };
        Ok(read(tensor))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let api = &self.runtime.0.api;
        // SAFETY: each handle was created once and is destroyed once, buffers before the compiled model, that before the model.
        unsafe {
            for buffer in self
                .input_buffers
                .drain(..)
                .chain(self.output_buffers.drain(..))
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

/// A buffer's memory while it is locked.
struct Locked<'a> {
    api: &'a Api,
    buffer: Handle,
    memory: Handle,
}

impl<'a> Locked<'a> {
    fn new(session: &'a Session, buffer: Handle, mode: c_int) -> Result<Self, ModelError> {
        let api = &session.runtime.0.api;
        let mut memory = ptr::null_mut();
        // SAFETY: the buffer is valid and unlocked: locks do not outlive the closures of `with_input` and `with_output`.
        let status = unsafe { (api.lock)(buffer, &mut memory, mode) };
        check(session.task.name(), "LiteRtLockTensorBuffer", status)?;
        Ok(Self {
            api,
            buffer,
            memory,
        })
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: locked once in `new`, unlocked once here. A failure leaves a locked buffer, which the next lock reports.
        unsafe {
            (self.api.unlock)(self.buffer);
        }
    }
}
