//! The stage: which scene is played, told over a socket or by the board file.
//!
//! On the socket one JSON line is a request and one line is an answer; relative paths count from where the service was started:
//!
//! ```text
//! -> {"play":"scenes/passport.toml","ticket":"eyJ..."}     ticket: text or null
//! <- {"ok":true}                                           or {"error":"..."}
//! <- {"done":"passport","shown":["idle",...],"why":"result"}   when the scene is over
//! -> {"break":"microphone_silent"}                         as in a scene's [[faults]], until it is mended
//! -> {"mend":"microphone_silent"}
//! ```

use super::VirtError;
use super::scene::FaultWhat;
use super::set::Set;
use super::world::{Finished, World};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest line that is taken.
const LONGEST_LINE: usize = 16 * 1024;
/// How long the booth stays empty between two plays of a repeated scene.
const PAUSE: Duration = Duration::from_secs(3);
/// How often the stage looks around.
const TURN: Duration = Duration::from_millis(15);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Play {
    play: PathBuf,
    #[serde(default)]
    ticket: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ByHand {
    Break(FaultWhat),
    Mend(FaultWhat),
}

/// The virtual booth seen from outside: ends the play when it is dropped.
#[derive(Debug)]
pub struct Stage {
    world: Arc<World>,
    size: (u32, u32),
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stage {
    pub(super) fn start(
        world: Arc<World>,
        size: (u32, u32),
        socket: Option<&Path>,
        scene: Option<PathBuf>,
        repeat: bool,
    ) -> Result<Self, VirtError> {
        let mut director = Director::new(Arc::clone(&world), size, socket, scene, repeat)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let run = move || {
            while !stopped.load(Ordering::Relaxed) {
                director.turn();
                std::thread::sleep(TURN);
            }
        };
        let thread = std::thread::Builder::new()
            .name("virt-stage".to_owned())
            .spawn(run)
            .map_err(VirtError::Thread)?;
        Ok(Self {
            world,
            size,
            stop,
            thread: Some(thread),
        })
    }

    /// Plays a scene; `ticket` is what the phone shows.
    ///
    /// # Errors
    /// The scene or a file that it names cannot be used, or another scene is still being played.
    pub fn play(&self, file: &Path, ticket: Option<&str>) -> Result<(), VirtError> {
        play(&self.world, self.size, file, ticket)
    }

    /// The screen that the panel shows; empty before the first.
    pub fn screen(&self) -> &'static str {
        self.world.screen()
    }

    /// Notes that the recorder had to drop; 0 without a recorder.
    pub fn dropped_notes(&self) -> u64 {
        self.world
            .recorder()
            .map_or(0, super::record::Recorder::dropped)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the stage of the virtual booth stopped early");
        }
        if let Some(recorder) = self.world.recorder() {
            recorder.finish();
        }
    }
}

fn play(
    world: &World,
    size: (u32, u32),
    file: &Path,
    ticket: Option<&str>,
) -> Result<(), VirtError> {
    let set = Set::load(file, ticket, size.0, size.1)?;
    let wanted = set.scene.name.clone();
    world
        .play(set)
        .map_err(|playing| VirtError::Playing { wanted, playing })
}

/// Binds the socket; one that a dead process left is taken over, a living one is not.
fn listen(path: &Path) -> Result<UnixListener, VirtError> {
    let fail = |source| VirtError::Socket {
        path: path.to_owned(),
        source,
    };
    if UnixStream::connect(path).is_ok() {
        return Err(fail(std::io::Error::from(ErrorKind::AddrInUse)));
    }
    match std::fs::symlink_metadata(path) {
        Ok(meta) if std::os::unix::fs::FileTypeExt::is_socket(&meta.file_type()) => {
            std::fs::remove_file(path).map_err(fail)?
        }
        Ok(_) => {
            return Err(fail(std::io::Error::new(
                ErrorKind::AlreadyExists,
                "there is a file that is no socket",
            )));
        }
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(fail)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    Ok(listener)
}

struct Client {
    stream: UnixStream,
    line: Vec<u8>,
}

/// Takes requests, plays scenes, tells their ends.
pub(super) struct Director {
    world: Arc<World>,
    size: (u32, u32),
    listener: Option<UnixListener>,
    client: Option<Client>,
    scene: Option<PathBuf>,
    repeat: bool,
    play_at: Option<crate::base::time::Moment>,
}

impl Director {
    pub(super) fn new(
        world: Arc<World>,
        size: (u32, u32),
        socket: Option<&Path>,
        scene: Option<PathBuf>,
        repeat: bool,
    ) -> Result<Self, VirtError> {
        let listener = socket.map(listen).transpose()?;
        let play_at = Some(world.clock.now());
        Ok(Self {
            world,
            size,
            listener,
            client: None,
            scene,
            repeat,
            play_at,
        })
    }

    /// Looks once at everything.
    pub(super) fn turn(&mut self) {
        if let Some(finished) = self.world.tick() {
            self.finished(&finished);
        }
        if let (Some(scene), Some(at)) = (&self.scene, self.play_at)
            && self.world.clock.now() >= at
        {
            self.play_at = None;
            if let Err(error) = play(&self.world, self.size, scene, None) {
                tracing::error!(%error, "the scene of the board file cannot be played");
            }
        }
        self.accept();
        self.serve();
    }

    fn serve(&mut self) {
        for line in self.lines() {
            let answer = self.answer(&line);
            self.say(&answer);
        }
    }

    fn finished(&mut self, finished: &Finished) {
        self.say(&json!({"done": finished.name, "shown": finished.shown, "why": finished.why}));
        if self.repeat {
            self.play_at = Some(self.world.clock.now().plus(PAUSE));
        }
    }

    fn answer(&self, line: &[u8]) -> Value {
        match serde_json::from_slice(line) {
            Ok(ByHand::Break(what)) => {
                self.world.break_by_hand(what);
                return json!({"ok": true});
            }
            Ok(ByHand::Mend(what)) => {
                self.world.mend_by_hand(what);
                return json!({"ok": true});
            }
            Err(_) => {}
        }
        let request: Play = match serde_json::from_slice(line) {
            Ok(request) => request,
            Err(e) => {
                let mend = r#"mend: send {"play":"<scene file>","ticket":"<text>" or null}, {"break":"<fault>"} or {"mend":"<fault>"}"#;
                return json!({"error": format!("stage: the line is no request: {e}; {mend}")});
            }
        };
        match play(
            &self.world,
            self.size,
            &request.play,
            request.ticket.as_deref(),
        ) {
            Ok(()) => json!({"ok": true}),
            Err(e) => json!({"error": e.to_string()}),
        }
    }

    fn accept(&mut self) {
        while let Some(Ok((mut stream, _))) = self.listener.as_ref().map(UnixListener::accept) {
            // Whoever was before may have gone since the last turn.
            self.serve();
            if self.client.is_some() {
                let line = json!({"error": "stage: somebody else is directing; mend: wait until they disconnect"});
                // Whoever does not listen needs no answer.
                let _ = writeln!(stream, "{line}");
            } else if stream.set_nonblocking(true).is_ok() {
                self.client = Some(Client {
                    stream,
                    line: Vec::new(),
                });
            }
        }
    }

    /// Whole lines that came.
    fn lines(&mut self) -> Vec<Vec<u8>> {
        let Some(client) = &mut self.client else {
            return Vec::new();
        };
        let mut chunk = [0; 4096];
        let mut gone = false;
        loop {
            match client.stream.read(&mut chunk) {
                Ok(0) => gone = true,
                Ok(n) => {
                    client.line.extend_from_slice(&chunk[..n]);
                    if client.line.len() <= LONGEST_LINE {
                        continue;
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(_) => gone = true,
            }
            break;
        }
        let mut lines: Vec<Vec<u8>> = Vec::new();
        while let Some(end) = client.line.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = client.line.drain(..=end).collect();
            if !line.trim_ascii().is_empty() {
                lines.push(line);
            }
        }
        if client.line.len() > LONGEST_LINE {
            self.say(&json!({"error": format!("stage: a line of over {LONGEST_LINE} bytes; mend: give the ticket's file in the scene")}));
            gone = true;
        }
        if gone {
            self.client = None;
        }
        lines
    }

    fn say(&mut self, line: &Value) {
        if let Some(client) = &mut self.client
            && client
                .stream
                .write_all(format!("{line}\n").as_bytes())
                .is_err()
        {
            self.client = None;
        }
    }
}
