//! The director's socket. The test turns the stage by hand: no thread, no waiting.

use super::super::stage::Director;
use super::*;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

struct Line(BufReader<UnixStream>);

impl Line {
    fn to(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("the stage listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a socket has a time-out");
        Self(BufReader::new(stream))
    }

    fn send(&mut self, text: &str) {
        self.0
            .get_mut()
            .write_all(format!("{text}\n").as_bytes())
            .expect("the stage listens");
    }

    fn read(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("the stage answered");
        line.trim().to_owned()
    }
}

#[test]
fn a_scene_is_played_and_its_end_is_told() {
    let drawn = Drawn::new();
    let socket = drawn.path("stage.sock");
    let clock = clock();
    let world = world(&clock, (320, 180));
    let mut director = Director::new(world.clone(), (320, 180), Some(&socket), None, false)
        .unwrap_or_else(|e| panic!("{e}"));
    let mut line = Line::to(&socket);
    let scene = drawn.scene("pace = 20.0", "").display().to_string();
    let ask = |director: &mut Director, line: &mut Line, text: &str| {
        line.send(text);
        director.turn();
        line.read()
    };
    let play = format!("{{\"play\":\"{scene}\",\"ticket\":\"{TICKET}\"}}");
    for (text, answer) in [
        ("hello", "the line is no request"),
        ("{\"play\":3}", "the line is no request"),
        ("{\"play\":\"no.toml\"}", "cannot read no.toml"),
        (
            &format!("{{\"play\":\"{scene}\",\"ticket\":null}}"),
            "none was given with the play",
        ),
        ("{\"break\":\"everything\"}", "the line is no request"),
        ("{\"break\":\"disk_full\"}", "{\"ok\":true}"),
        ("{\"mend\":\"disk_full\"}", "{\"ok\":true}"),
        (&play, "{\"ok\":true}"),
        (&play, "scene drawn is still being played"),
    ] {
        let said = ask(&mut director, &mut line, text);
        assert!(said.contains(answer), "{text} -> {said}");
    }
    let mut second = Line::to(&socket);
    director.turn();
    assert!(second.read().contains("somebody else is directing"));
    // Who comes right after another has gone is not refused, though no turn lay between.
    drop(line);
    let mut line = Line::to(&socket);
    let said = ask(&mut director, &mut line, "{\"mend\":\"disk_full\"}");
    assert!(said.contains("{\"ok\":true}"), "{said}");
    for screen in [
        "idle",
        "show_ticket.show",
        "consent",
        "document.show",
        "face.look",
        "result.verified",
    ] {
        world.show(screen);
        clock.advance(Duration::from_millis(400));
        director.turn();
    }
    world.show("idle");
    director.turn();
    assert_eq!(
        line.read(),
        r#"{"done":"drawn","shown":["idle","show_ticket.show","consent","document.show","face.look","result.verified","idle"],"why":"result"}"#
    );
    assert_eq!(ask(&mut director, &mut line, &play), "{\"ok\":true}");
}

#[test]
fn a_socket_in_use_is_not_taken_and_a_dead_one_is() {
    let drawn = Drawn::new();
    let socket = drawn.path("stage.sock");
    let world = world(&clock(), (320, 180));
    let first = Director::new(world.clone(), (320, 180), Some(&socket), None, false)
        .unwrap_or_else(|e| panic!("{e}"));
    let refused = Director::new(world.clone(), (320, 180), Some(&socket), None, false)
        .map(|_| ())
        .expect_err("the first lives");
    assert!(refused.to_string().contains("stage.sock"), "{refused}");
    drop(first);
    assert!(Director::new(world.clone(), (320, 180), Some(&socket), None, false).is_ok());
    std::fs::write(drawn.path("file"), "x").expect("there is room");
    let file = Director::new(world, (320, 180), Some(&drawn.path("file")), None, false)
        .map(|_| ())
        .expect_err("a file");
    assert!(file.to_string().contains("no socket"), "{file}");
}

#[test]
fn the_board_files_scene_is_played_again_after_a_pause() {
    let drawn = Drawn::new();
    std::fs::write(drawn.path("t.txt"), TICKET).expect("there is room");
    let scene = drawn.scene("longest_s = 2.0", "file = \"t.txt\"\n");
    let clock = clock();
    let world = world(&clock, (320, 180));
    let mut director = Director::new(world.clone(), (320, 180), None, Some(scene), true)
        .unwrap_or_else(|e| panic!("{e}"));
    let playing = |world: &World| {
        world
            .view(world.clock.now(), Duration::ZERO)
            .pose
            .person
            .is_some()
    };
    let mut seen = Vec::new();
    for ms in [0, 500, 2000, 2000, 1500, 500] {
        clock.advance(Duration::from_millis(ms));
        director.turn();
        seen.push(playing(&world));
    }
    assert_eq!(seen, [false, true, false, false, false, true]);
}
