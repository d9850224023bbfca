//! What the boundary tests share: a folder with keys, policy and configuration files as `boothd demo` makes them, and child
//! processes that are waited for with a limit.

use boothd::base::time::{Clock as _, SystemClock};
use boothd::config::policy::sign_policy;
use boothd::trust::keys::SoftwareKey;
use boothd::trust::pki::{KeyFolder, make_keys};
use boothd::trust::tls::TlsFiles;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Held by a test that plays sessions: two virtual booths that render at the same time starve each other on a small machine, and a
/// camera without frames is what a booth then finds.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The project's folder; children work in it, as relative paths of scenes and models count from there.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Where the TFLite runtime is, as `boothd` itself looks for it.
pub(crate) fn runtime() -> PathBuf {
    let here = || {
        root().join(format!(
            "target/litert/{}/libLiteRt.so",
            std::env::consts::ARCH
        ))
    };
    let path = std::env::var_os("BOOTHD_LITERT").map_or_else(here, PathBuf::from);
    assert!(
        path.is_file(),
        "the TFLite runtime is not at {}: run `make setup` first, or set BOOTHD_LITERT",
        path.display()
    );
    path
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Standard output and error together.
    pub(crate) said: String,
}

/// No verb of these tests works longer; one that does was to be refused and is running.
const LIMIT: Duration = Duration::from_secs(120);

/// A child with a file for what it says; killed when dropped.
pub(crate) struct Running {
    child: Child,
    said: PathBuf,
    _folder: TempDir,
}

impl Running {
    pub(crate) fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let said = folder.path().join("said");
        let file = File::create(&said).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_boothd"))
            .args(args)
            .current_dir(root())
            .env_remove("BOOTHD_LOG")
            .env_remove("BOOTHD_LOG_FORMAT")
            .env("BOOTHD_LITERT", runtime())
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .expect("boothd can be started");
        Self {
            child,
            said,
            _folder: folder,
        }
    }

    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.said).expect("what it said")).into_owned()
    }

    /// Waits until it has said something.
    pub(crate) fn wait_for(&mut self, words: &str) {
        let began = Instant::now();
        while !self.said().contains(words) {
            let ended = self.child.try_wait().expect("a child");
            assert!(
                ended.is_none() && began.elapsed() < LIMIT,
                "`{words}` was not said, but:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it ends.
    pub(crate) fn end(mut self) -> Ended {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                let said = self.said();
                assert!(!said.contains("panicked at"), "{said}");
                return Ended {
                    code: status.code(),
                    said,
                };
            }
            assert!(
                began.elapsed() < LIMIT,
                "did not end, but said:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `boothd` to its end.
pub(crate) fn boothd(args: &[&str]) -> Ended {
    Running::start(args).end()
}

/// A furnished folder.
pub(crate) struct Furnished {
    dir: TempDir,
}

impl Furnished {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let out = dir.path();
        make_keys(&out.join("keys"), SystemClock.wall()).expect("keys");
        let keys = KeyFolder::new(&out.join("keys"));
        let policy = root().join("board/policies/utopia-standard.toml");
        fs::copy(&policy, out.join("policy.toml")).expect("the example");
        let signer = SoftwareKey::read(&keys.private("policy-sign")).expect("the key just made");
        let bundle = sign_policy(&policy, &signer).expect("the example is a policy");
        fs::write(out.join("policy.jws"), bundle).expect("written");
        let board = fs::read_to_string(root().join("board/virtual.toml")).expect("the board file");
        let scene = format!("scene = {:?}", root().join("board/scenes/practice.toml"));
        let board = board
            .replace("scene = \"board/scenes/practice.toml\"", &scene)
            .replace("frames_per_s = 30.0", "frames_per_s = 5.0");
        assert!(board.contains(&scene) && board.contains("5.0"), "{board}");
        fs::write(out.join("board.toml"), board).expect("written");
        let models = root().join("models");
        let port = free_port();
        let tls = |files: TlsFiles| {
            format!(
                "[tls]\nca = {:?}\ncertificate = {:?}\nkey = {:?}\n",
                files.ca, files.certificate, files.key
            )
        };
        let booth = format!(
            "booth_id = \"BOOTH-TEST\"\nboard = \"board.toml\"\n\n\
             [trust]\nsigning_key = \"keys/booth-sign.key\"\nwallet_keys = [\"keys/wallet-sign.pub.pem\"]\n\
             policy_keys = [\"keys/policy-sign.pub.pem\"]\npolicy = \"policy.jws\"\n\n\
             [models]\ndir = {models:?}\nruntime = {:?}\nface_calibration = {:?}\npad_calibration = {:?}\n\n\
             [outbox]\nstate_dir = \"state\"\n\n[uplink]\nsocket = \"uplink.sock\"\n",
            runtime(),
            models.join("calibration/face_comparison.toml"),
            models.join("calibration/face_pad.toml"),
        );
        fs::write(out.join("boothd.toml"), booth).expect("written");
        let uplink = format!(
            "url = \"https://127.0.0.1:{port}\"\nsocket = {:?}\n\n{}",
            out.join("uplink.sock"),
            tls(keys.tls("uplink"))
        );
        fs::write(out.join("uplink.toml"), uplink).expect("written");
        let wallet = format!(
            "listen = \"127.0.0.1:{port}\"\nstate_dir = {:?}\nsigning_key = {:?}\ntenant = \"utopia-wallet\"\n\
             policy = \"utopia-standard\"\n\n{}\n[[booths]]\nid = \"BOOTH-TEST\"\nkey = {:?}\n",
            out.join("wallet"),
            keys.private("wallet-sign"),
            tls(keys.tls("wallet")),
            keys.public("booth-sign")
        );
        fs::write(out.join("wallet.toml"), wallet).expect("written");
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name)
            .into_os_string()
            .into_string()
            .expect("temporary folders have UTF-8 names")
    }

    /// Changes the first `from` in a file.
    pub(crate) fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.path(file);
        let text = fs::read_to_string(&path).expect("a text");
        assert!(text.contains(from), "{file} has no `{from}`:\n{text}");
        fs::write(path, text.replacen(from, to, 1)).expect("written");
    }

    /// Gives the booth a folder of models of its own.
    pub(crate) fn own_models(&self) -> PathBuf {
        let own = self.path("models");
        fs::create_dir_all(&own).expect("a folder");
        for entry in fs::read_dir(root().join("models")).expect("models/") {
            let path = entry.expect("an entry").path();
            if path
                .extension()
                .is_some_and(|e| e == "tflite" || e == "toml")
            {
                fs::copy(&path, own.join(path.file_name().expect("a name"))).expect("copied");
            }
        }
        let dir = |path: &Path| format!("dir = {path:?}");
        self.change("boothd.toml", &dir(&root().join("models")), &dir(&own));
        own
    }

    /// Copies a scene with all that it names, and has the board play it at the start.
    pub(crate) fn own_scene(&self) -> PathBuf {
        let own = self.path("scenes");
        fs::create_dir_all(own.join("assets")).expect("a folder");
        let scenes = root().join("board/scenes");
        for entry in fs::read_dir(scenes.join("assets")).expect("assets") {
            let path = entry.expect("an entry").path();
            fs::copy(
                &path,
                own.join("assets").join(path.file_name().expect("a name")),
            )
            .expect("copied");
        }
        // Without a ticket: none has been issued at the start.
        let text = fs::read_to_string(scenes.join("practice.toml")).expect("a scene");
        fs::write(own.join("scene.toml"), text).expect("written");
        let play = |path: &Path| format!("scene = {path:?}");
        self.change(
            "board.toml",
            &play(&scenes.join("practice.toml")),
            &play(&own.join("scene.toml")),
        );
        own
    }

    /// Runs a verb with its configuration file to its end.
    pub(crate) fn run(&self, verb: &str) -> Ended {
        boothd(&[verb, "--config", &self.config(verb)])
    }

    /// The configuration file of a verb.
    pub(crate) fn config(&self, verb: &str) -> String {
        self.text(&format!(
            "{}.toml",
            if verb == "run" { "boothd" } else { verb }
        ))
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("bound").port()
}
