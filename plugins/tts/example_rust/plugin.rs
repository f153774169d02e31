//! A voice of beeps: jf.tts/1 in Rust, with credit, marks, clear, a host that answers AGAIN, cancel and quiesce.
//!
//! Calls for one stream are serial, two streams are served side by side: each stream stands behind a mutex of its own that is never fought
//! over, and the map of streams behind one that is held for a look-up only. A timer's sink owns a reference to its stream, boxed, and gives it
//! back in `on_done`.

use jackfield::*;
use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard};

const MOST_WAITING: usize = 2000; // bytes of text; more is refused while something waits
const MOST_TEXT: usize = 65536; // in one call, as tts.h says
const FRAMES_PER_TURN: usize = 25; // then other streams of this thread get theirs

struct Voice {
    host: Host,
    timer: &'static jf_host_timer_v1,
    letter_ms: u32,
    streams: Mutex<Streams>,
}

#[derive(Default)]
struct Streams {
    open: HashMap<jf_op, Arc<Mutex<Stream>>>,
    quiescing: bool,
    quiesce: Option<jf_op>, // completes when none is open
}

struct Stream {
    op: jf_op,
    rate_hz: u32,
    frame_samples: usize,
    credit: Option<u64>, // none: unbounded
    text: VecDeque<u8>,
    given: u64,  // bytes since the stream opened
    spoken: u64, // given - spoken wait in text
    characters: u64,
    emitted: u64,
    frame: Vec<i16>,
    sound: Sound,
    talking: bool,  // a letter has sounded since open or clear
    unmarked: bool, // ... since the last mark
    flushed: bool,
    end_given: bool,
    told_again: bool,
    owes_mark: bool,
    owes_cleared: u32,
    waiting: bool, // a timer is on its way
    ended: bool,
}

/// What is under way: so many more samples of a tone, or of silence.
#[derive(Default)]
struct Sound {
    left: usize,
    tone: bool,
    swing: f64,
    before: f64,
    twice_cos: f64,
}

impl Sound {
    fn sample(&mut self) -> i16 {
        self.left -= 1;
        if !self.tone {
            return 0;
        }
        let now = self.swing;
        self.swing = self.twice_cos * now - self.before;
        self.before = now;
        now as i16
    }
}

/// A panic while a lock was held left a stream in some state that is still safe to end; the others are not its business.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Stream {
    fn mark(&mut self) {
        self.owes_mark = true;
        self.unmarked = false;
    }

    /// The next character's sound: a letter has a pitch, a gap between words is silence, and before the first letter there is none.
    fn begin_sound(&mut self, letter_ms: u32) {
        let c = match self.text.pop_front() {
            Some(c) => c,
            None => return,
        };
        self.spoken += 1;
        while self.text.front().map_or(false, |next| next & 0xc0 == 0x80) {
            self.text.pop_front();
            self.spoken += 1;
        }
        self.characters += 1;
        if c.is_ascii_alphanumeric() || c >= 0xc0 {
            let step = 2.0 * std::f64::consts::PI * (300 + 30 * u32::from(c & 31)) as f64 / self.rate_hz as f64;
            let left = (self.rate_hz * letter_ms / 1000) as usize;
            self.sound = Sound { left, tone: true, swing: 6000.0 * step.sin(), before: 0.0, twice_cos: 2.0 * step.cos() };
            self.talking = true;
            self.unmarked = true;
        } else if self.talking {
            self.sound = Sound { left: self.rate_hz as usize / 50, ..Sound::default() };
            if b".!?".contains(&c) && self.unmarked {
                self.mark();
            }
        }
    }

    /// Fills the frame as far as there is text; a mark goes out before what follows it.
    fn fill(&mut self, letter_ms: u32) {
        while self.frame.len() < self.frame_samples && !self.owes_mark {
            if self.sound.left == 0 && self.text.is_empty() {
                if self.flushed && self.unmarked {
                    self.mark();
                }
                return;
            }
            if self.sound.left == 0 {
                self.begin_sound(letter_ms);
            }
            while self.sound.left > 0 && self.frame.len() < self.frame_samples {
                let sample = self.sound.sample();
                self.frame.push(sample);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.end_given && self.text.is_empty() && self.sound.left == 0 && self.frame.is_empty()
    }
}

/// What one step came to.
enum Step {
    Done,
    Nothing,
    Refused(jf_status),
}

fn step_of(status: jf_status) -> Step {
    if status == OK { Step::Done } else { Step::Refused(status) }
}

impl Voice {
    fn find(&self, op: jf_op) -> Option<Arc<Mutex<Stream>>> {
        locked(&self.streams).open.get(&op).cloned()
    }

    fn on_stream(&self, op: jf_op, body: impl FnOnce(&Arc<Mutex<Stream>>, &mut Stream) -> jf_status) -> jf_status {
        match self.find(op) {
            Some(shared) => body(&shared, &mut locked(&shared)),
            None => E_INVALID,
        }
    }

    /// The one completion: out of the map first, so that nothing finds the stream any more.
    fn end(&self, stream: &mut Stream, status: jf_status) {
        stream.ended = true;
        let waited = {
            let mut streams = locked(&self.streams);
            streams.open.remove(&stream.op);
            if streams.open.is_empty() { streams.quiesce.take() } else { None }
        };
        let audio_ms = stream.emitted * 1000 / u64::from(stream.rate_hz);
        let usage = jf_tts_usage { struct_size: size::<jf_tts_usage>(), reserved: 0, characters: stream.characters, audio_ms };
        self.host.complete_status_with(stream.op, status, EV_TTS_USAGE, &usage);
        if let Some(op) = waited {
            self.host.complete(op, OK);
        }
    }

    fn emit_plain(&self, stream: &Stream, type_: u32, pos: u64) -> jf_status {
        self.host.emit(stream.op, &jf_event::plain(type_, pos))
    }

    fn emit_frame(&self, stream: &mut Stream) -> jf_status {
        let frame = jf_frame {
            struct_size: size::<jf_frame>(),
            codec: CODEC_L16,
            channels: 1,
            flags: if stream.emitted == 0 { FRAME_TALKSPURT } else { 0 },
            rate_hz: stream.rate_hz,
            samples: stream.frame.len() as u32,
            pts: stream.emitted,
            data: jf_bytes { ptr: stream.frame.as_ptr() as *const c_void, len: 2 * stream.frame.len() as u64 },
        };
        let status = self.host.emit(stream.op, &jf_event::of(EV_AUDIO, stream.spoken, &frame));
        if status == OK {
            stream.emitted += stream.frame.len() as u64;
            stream.credit = stream.credit.map(|credit| credit - stream.frame.len() as u64);
            stream.frame.clear();
        }
        status
    }

    /// The next thing that can go out.
    fn step(&self, stream: &mut Stream) -> Step {
        if stream.owes_cleared > 0 {
            let status = self.emit_plain(stream, EV_CLEARED, stream.spoken);
            stream.owes_cleared -= u32::from(status == OK);
            return step_of(status);
        }
        if stream.told_again && stream.text.len() < MOST_WAITING / 2 {
            let status = self.emit_plain(stream, EV_CREDIT, (MOST_WAITING - stream.text.len()) as u64);
            stream.told_again = status != OK;
            return step_of(status);
        }
        stream.fill(self.letter_ms);
        if !stream.frame.is_empty() {
            if stream.credit.map_or(false, |credit| credit < stream.frame.len() as u64) {
                return Step::Nothing;
            }
            return step_of(self.emit_frame(stream));
        }
        if stream.owes_mark {
            let status = self.emit_plain(stream, EV_TTS_MARK, stream.spoken);
            stream.owes_mark = status != OK;
            return step_of(status);
        }
        Step::Nothing
    }

    /// Whatever can go out now, goes.
    fn pump(&self, shared: &Arc<Mutex<Stream>>, stream: &mut Stream) {
        for _ in 0..FRAMES_PER_TURN {
            match self.step(stream) {
                Step::Done => {}
                Step::Nothing if stream.is_over() => return self.end(stream, OK),
                Step::Nothing => return,
                Step::Refused(E_AGAIN) => return self.go_on_after(shared, stream, 10_000_000), // the host's queue is full
                Step::Refused(status) => return self.end(stream, status),
            }
        }
        self.go_on_after(shared, stream, 0)
    }

    /// Goes on later, on this stream's strand: the timer is the stream's child, and ends with it.
    fn go_on_after(&self, shared: &Arc<Mutex<Stream>>, stream: &mut Stream, ns: u64) {
        if stream.waiting {
            return;
        }
        let held = Box::into_raw(Box::new(Waiting { voice: self, stream: shared.clone() }));
        let sink = jf_sink {
            struct_size: size::<jf_sink>(),
            reserved: 0,
            user: held as *mut c_void,
            on_event: Some(on_timer_event),
            on_done: Some(on_timer_done),
        };
        stream.waiting = true;
        if let Ok(op) = self.host.open(stream.op, &sink) {
            if unsafe { (self.timer.start)(self.host.ctx(), op, ns) } == OK {
                return;
            }
            self.host.cancel(op); // never started: nothing is called back
        }
        drop(unsafe { Box::from_raw(held) });
        stream.waiting = false;
        self.end(stream, E_QUOTA)
    }

    fn open(&self, op: jf_op, options: &jf_tts_open) -> Result<(), Failure> {
        let format = &options.format;
        let other = |code, text: &str| Failure { code, retry: RETRY_OTHER_PROVIDER, text: text.to_string() };
        if format.codec != CODEC_L16 || format.channels > 1 || ![8000, 16000].contains(&format.rate_hz) {
            return Err(other(E_UNSUPPORTED, "this voice beeps in L16, one channel, at 8000 or 16000 Hz"));
        }
        if !["", "beep"].contains(&options.voice.copy().as_str()) {
            return Err(other(E_NOT_FOUND, "the only voice is called beep"));
        }
        let credit = if options.credit == 0 { None } else { Some(options.credit) };
        // A frame larger than all the credit there is could never go out.
        let frame_samples = credit.unwrap_or(u64::MAX).min(u64::from(format.rate_hz / 50)) as usize;
        let stream = Stream {
            op, rate_hz: format.rate_hz, frame_samples, credit, text: VecDeque::new(), given: 0, spoken: 0, characters: 0, emitted: 0,
            frame: Vec::with_capacity(frame_samples), sound: Sound::default(), talking: false, unmarked: false, flushed: false,
            end_given: false, told_again: false, owes_mark: false, owes_cleared: 0, waiting: false, ended: false,
        };
        let mut streams = locked(&self.streams);
        if streams.quiescing {
            return Err(other(E_STATE, "this instance takes no more speech"));
        }
        streams.open.insert(op, Arc::new(Mutex::new(stream)));
        Ok(())
    }

    fn text(&self, op: jf_op, words: &[u8], flush: u32) -> jf_status {
        self.on_stream(op, |shared, stream| {
            if words.len() > MOST_TEXT {
                return E_INVALID;
            }
            if stream.end_given {
                return E_STATE;
            }
            if !stream.text.is_empty() && stream.text.len() + words.len() > MOST_WAITING {
                stream.told_again = true;
                return E_AGAIN;
            }
            stream.text.extend(words);
            stream.given += words.len() as u64;
            stream.flushed = flush != TTS_MORE;
            stream.end_given = flush == TTS_END;
            self.pump(shared, stream);
            OK
        })
    }

    fn clear(&self, op: jf_op) -> jf_status {
        self.on_stream(op, |shared, stream| {
            stream.text.clear();
            stream.frame.clear();
            stream.sound = Sound::default();
            stream.spoken = stream.given;
            stream.owes_mark = false;
            stream.unmarked = false;
            stream.talking = false;
            stream.owes_cleared += 1;
            self.pump(shared, stream);
            OK
        })
    }

    fn credit(&self, op: jf_op, samples: u64) -> jf_status {
        self.on_stream(op, |shared, stream| {
            stream.credit = stream.credit.map(|credit| credit.saturating_add(samples));
            if !stream.waiting {
                self.pump(shared, stream);
            }
            OK
        })
    }

    fn finish(&self, op: jf_op, status: jf_status) -> jf_status {
        self.on_stream(op, |_, stream| {
            self.end(stream, status);
            OK
        })
    }

    /// Completes now, or when the last stream has ended; `give_up` comes when the budget is over.
    fn quiesce(&self, op: jf_op, budget_ms: u32) {
        let mut streams = locked(&self.streams);
        streams.quiescing = true;
        if streams.open.is_empty() {
            drop(streams);
            return self.host.complete(op, OK);
        }
        streams.quiesce = Some(op);
        drop(streams);
        let user = self as *const Voice as *mut c_void; // lives until destroy, which comes after every op
        let sink = jf_sink { struct_size: size::<jf_sink>(), reserved: 0, user, on_event: Some(on_timer_event), on_done: Some(on_budget_over) };
        if let Ok(timer) = self.host.open(op, &sink) {
            if unsafe { (self.timer.start)(self.host.ctx(), timer, u64::from(budget_ms) * 1_000_000) } != OK {
                self.host.cancel(timer);
            }
        }
    }

    fn give_up(&self, only: Option<jf_op>, status: jf_status) -> jf_status {
        let waited = {
            let mut streams = locked(&self.streams);
            if only.is_some() && streams.quiesce != only { None } else { streams.quiesce.take() }
        };
        match waited {
            Some(op) => {
                self.host.complete(op, status);
                OK
            }
            None => E_INVALID,
        }
    }
}

// ---- timers -----------------------------------------------------------------------------------------------------------------

struct Waiting {
    voice: *const Voice, // lives until destroy, which comes after every op
    stream: Arc<Mutex<Stream>>,
}

unsafe extern "C" fn on_timer_event(_: *mut c_void, _: jf_op, _: *const jf_event, _: u32, _: u32) {}

unsafe extern "C" fn on_timer_done(user: *mut c_void, _: jf_op, status: jf_status, _: *const jf_event, _: *const jf_error) {
    guarded_or((), || {
        let held = Box::from_raw(user as *mut Waiting);
        let mut stream = locked(&held.stream);
        stream.waiting = false;
        if status == OK && !stream.ended {
            (*held.voice).pump(&held.stream, &mut stream);
        }
    })
}

unsafe extern "C" fn on_budget_over(user: *mut c_void, _: jf_op, status: jf_status, _: *const jf_event, _: *const jf_error) {
    guarded_or((), || {
        if status == OK {
            (*(user as *const Voice)).give_up(None, OK);
        }
    })
}

// ---- jf.tts/1 ---------------------------------------------------------------------------------------------------------------

/// The host passes back the pointer that create() gave it, until destroy().
unsafe fn voice<'a>(instance: *mut jf_instance) -> &'a Voice {
    &*(instance as *const Voice)
}

unsafe extern "C" fn tts_open(instance: *mut jf_instance, op: jf_op, options: *const jf_tts_open, error: *mut jf_error) -> jf_status {
    guarded(error, || {
        if options.is_null() || (*options).struct_size < size::<jf_tts_open>() {
            return Err(Failure::new(E_INVALID, "there are no options"));
        }
        voice(instance).open(op, &*options)
    })
}

unsafe extern "C" fn tts_text(instance: *mut jf_instance, op: jf_op, given: *const jf_tts_text) -> jf_status {
    guarded_or(E_INTERNAL, || {
        if given.is_null() || (*given).struct_size < size::<jf_tts_text>() {
            return E_INVALID;
        }
        voice(instance).text(op, (*given).text.bytes(), (*given).flush)
    })
}

unsafe extern "C" fn tts_clear(instance: *mut jf_instance, op: jf_op) -> jf_status {
    guarded_or(E_INTERNAL, || voice(instance).clear(op))
}

unsafe extern "C" fn tts_credit(instance: *mut jf_instance, op: jf_op, samples: u64) -> jf_status {
    guarded_or(E_INTERNAL, || voice(instance).credit(op, samples))
}

unsafe extern "C" fn tts_close(instance: *mut jf_instance, op: jf_op) -> jf_status {
    guarded_or(E_INTERNAL, || voice(instance).finish(op, OK))
}

static TTS: jf_tts_v1 = jf_tts_v1 {
    struct_size: std::mem::size_of::<jf_tts_v1>() as u32,
    reserved: 0,
    open: tts_open,
    text: tts_text,
    clear: tts_clear,
    credit: tts_credit,
    close: tts_close,
};

// ---- the instance -----------------------------------------------------------------------------------------------------------

unsafe extern "C" fn start(instance: *mut jf_instance, op: jf_op, error: *mut jf_error) -> jf_status {
    guarded(error, || {
        locked(&voice(instance).streams).quiescing = false;
        voice(instance).host.complete(op, OK);
        Ok(())
    })
}

unsafe extern "C" fn quiesce(instance: *mut jf_instance, op: jf_op, budget_ms: u32) -> jf_status {
    guarded(std::ptr::null_mut(), || {
        voice(instance).quiesce(op, budget_ms);
        Ok(())
    })
}

unsafe extern "C" fn destroy(instance: *mut jf_instance) {
    guarded_or((), || drop(Box::from_raw(instance as *mut Voice)))
}

unsafe extern "C" fn query(_instance: *mut jf_instance, id: jf_str) -> *const c_void {
    guarded_or(std::ptr::null(), || match id.copy().as_str() {
        TTS_V1 => &TTS as *const jf_tts_v1 as *const c_void,
        _ => std::ptr::null(),
    })
}

unsafe extern "C" fn cancel(instance: *mut jf_instance, op: jf_op) -> jf_status {
    guarded_or(E_INTERNAL, || match voice(instance).finish(op, E_CANCELLED) {
        E_INVALID => voice(instance).give_up(Some(op), E_CANCELLED), // the quiesce, or one that has completed just now
        status => status,
    })
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
        let host = Host::new(host);
        let timer = host
            .facility::<jf_host_timer_v1>(FACILITY_TIMER)
            .ok_or_else(|| Failure::new(E_UNSUPPORTED, "this host has no jf.host.timer/1"))?;
        // The host has held it against the schema's bounds.
        let letter_ms = Config::new(config_pairs).integer("letter_ms").unwrap_or(50).clamp(20, 500) as u32;
        let made = Voice { host, timer, letter_ms, streams: Mutex::new(Streams::default()) };
        *out = Box::into_raw(Box::new(made)) as *mut jf_instance;
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
