//! A real browser: Chromium without a window, driven by its `DevTools` protocol
//! (chromedevtools.github.io/devtools-protocol) over a WebSocket.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::support::{self, SOON};

/// Under these names distributions install it.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The browser's file.
pub fn installed() -> Result<PathBuf, String> {
    let path = support::program_path();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let files = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let mut files = files.filter(|file| file.exists());
    files
        .next()
        .ok_or_else(|| "Chromium is not installed; `.ci/packages browser` installs it".to_owned())
}

/// The program of axe-core, which `.ci/axe-core` fetches.
pub fn axe_core() -> Result<String, String> {
    let file = Path::new(support::ROOT).join("target/axe-core/axe.min.js");
    std::fs::read_to_string(file)
        .map_err(|_| "axe-core is not there; `.ci/axe-core` fetches it".to_owned())
}

/// A tab of its own browser.
pub struct Tab {
    socket: WebSocketStream<TcpStream>,
    session: String,
    last_id: u64,
    /// What happened besides answers.
    events: VecDeque<Value>,
    _browser: Child,
    _profile: tempfile::TempDir,
}

/// Tests in a browser run one after the other: several browsers at once take much memory.
static ONE: OnceLock<Mutex<()>> = OnceLock::new();

/// Waits until no other test has a browser.
pub async fn turn() -> tokio::sync::MutexGuard<'static, ()> {
    ONE.get_or_init(Mutex::default).lock().await
}

impl Tab {
    /// Starts a browser with an empty tab.
    pub async fn start() -> Tab {
        timeout(SOON, Tab::begin()).await.unwrap()
    }

    async fn begin() -> Tab {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(installed().unwrap());
        command
            .args([
                "--headless",
                "--disable-gpu",
                "--no-first-run",
                "--remote-debugging-port=0",
            ])
            // Requests of its own would be taken for the page's.
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .arg("--disable-dev-shm-usage")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if support::root().is_ok() {
            // It refuses to run as root otherwise.
            command.arg("--no-sandbox");
        }
        let mut browser = command.spawn().unwrap();
        let mut lines = BufReader::new(browser.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("the browser has ended");
            if let Some((_, url)) = line.split_once("DevTools listening on ") {
                break url.to_owned();
            }
        };
        // It must not block on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let address = url.trim_start_matches("ws://").split('/').next().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let config = WebSocketConfig::default()
            .max_message_size(Some(64 << 20))
            .max_frame_size(Some(64 << 20));
        let (socket, _) = tokio_tungstenite::client_async_with_config(&url, stream, Some(config))
            .await
            .unwrap();
        let mut tab = Tab {
            socket,
            session: String::new(),
            last_id: 0,
            events: VecDeque::new(),
            _browser: browser,
            _profile: profile,
        };
        let target = tab
            .call("Target.createTarget", json!({ "url": "about:blank" }))
            .await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = tab.call("Target.attachToTarget", attach).await;
        attached["sessionId"]
            .as_str()
            .unwrap()
            .clone_into(&mut tab.session);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({})).await;
        }
        tab
    }

    /// Calls a method of the protocol.
    pub async fn call(&mut self, method: &str, parameters: Value) -> Value {
        timeout(SOON, self.answer(method, parameters))
            .await
            .unwrap_or_else(|_| panic!("{method} takes too long"))
    }

    async fn answer(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
        loop {
            let mut message = self.receive().await;
            if message["id"] == json!(self.last_id) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.push_back(message);
        }
    }

    async fn receive(&mut self) -> Value {
        loop {
            match self
                .socket
                .next()
                .await
                .expect("the browser has ended")
                .unwrap()
            {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(_) => panic!("the browser has ended"),
                _ => {}
            }
        }
    }

    /// Opens a file and waits until it is loaded.
    pub async fn open(&mut self, file: &Path) {
        self.events.clear();
        let url = format!("file://{}", file.display());
        self.call("Page.navigate", json!({ "url": url })).await;
        let loaded = async {
            while !self
                .events
                .iter()
                .any(|event| event["method"] == "Page.loadEventFired")
            {
                let event = self.receive().await;
                self.events.push_back(event);
            }
        };
        timeout(SOON, loaded).await.expect("the page does not load");
        // Fonts and layout.
        self.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))").await;
    }

    /// The value of an expression in the page.
    pub async fn eval(&mut self, expression: &str) -> Value {
        let parameters =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut result = self.call("Runtime.evaluate", parameters).await;
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {}",
            result["exceptionDetails"]
        );
        result["result"]["value"].take()
    }

    /// The text of an expression in the page.
    pub async fn text(&mut self, expression: &str) -> String {
        self.eval(expression)
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Presses a key.
    pub async fn press(&mut self, key: &str) {
        for kind in ["rawKeyDown", "keyUp"] {
            let parameters = json!({ "type": kind, "key": key, "code": key });
            self.call("Input.dispatchKeyEvent", parameters).await;
        }
    }

    /// Moves the pointer to a place of an element, as shares of its width and height.
    pub async fn point(&mut self, selector: &str, (x, y): (f64, f64)) -> (f64, f64) {
        let script = format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView({{ block: 'center' }}); \
             const b = e.getBoundingClientRect(); return [b.left + b.width * {x}, b.top + b.height * {y}]; }})()"
        );
        let place = self.eval(&script).await;
        let at = (place[0].as_f64().unwrap(), place[1].as_f64().unwrap());
        let parameters = json!({ "type": "mouseMoved", "x": at.0, "y": at.1 });
        self.call("Input.dispatchMouseEvent", parameters).await;
        at
    }

    /// Clicks on an element.
    pub async fn click(&mut self, selector: &str) {
        let (x, y) = self.point(selector, (0.5, 0.5)).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let parameters =
                json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", parameters).await;
        }
    }

    /// Sets the size of the window, and whether the person prefers dark pages.
    pub async fn show_as(&mut self, width: u32, height: u32, is_dark: bool) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let value = if is_dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.call("Emulation.setEmulatedMedia", media).await;
    }

    /// What went wrong since the page was opened: exceptions, messages of the console, and entries of the log, e.g.
    /// about the Content-Security-Policy.
    pub fn problems(&self) -> Vec<&Value> {
        let is_problem = |event: &&Value| {
            [
                "Runtime.exceptionThrown",
                "Runtime.consoleAPICalled",
                "Log.entryAdded",
            ]
            .iter()
            .any(|method| event["method"] == *method)
        };
        self.events.iter().filter(is_problem).collect()
    }

    /// The addresses that the page has asked for, but for itself and data in it.
    pub fn requests(&self) -> Vec<&str> {
        let requests = self
            .events
            .iter()
            .filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = requests.filter_map(|event| event["params"]["request"]["url"].as_str());
        urls.filter(|url| !url.starts_with("data:"))
            .skip(1)
            .collect()
    }

    /// The page on paper.
    pub async fn pdf(&mut self) -> Vec<u8> {
        let printed = self
            .call("Page.printToPDF", json!({ "printBackground": true }))
            .await;
        STANDARD.decode(printed["data"].as_str().unwrap()).unwrap()
    }

    /// Stores a picture of the window, or of the whole page, in the folder that `NETPLAN_SCREENSHOTS` names, if any.
    pub async fn screenshot(&mut self, name: &str, whole: bool) {
        let Some(folder) = std::env::var_os("NETPLAN_SCREENSHOTS") else {
            return;
        };
        let shot = self
            .call(
                "Page.captureScreenshot",
                json!({ "captureBeyondViewport": whole }),
            )
            .await;
        let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }
}
