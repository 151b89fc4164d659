# SPDX-License-Identifier: BSD-3-Clause
#
# For the tests of this folder that look at pages: Chromium without a window, spoken
# to over its two pipes (the DevTools protocol: JSON between zero bytes).
#
#   with Browser() as b:           ends the test as skipped where there is no Chromium
#       page = b.open(URL)         a tab, once it has loaded
#       page.value(SCRIPT)         what an expression (or a promise) gives
#       page.until(SCRIPT)         waits until it is true: the value, None after a while
#       page.errors, page.asked    what its scripts threw and logged; URLs it asked for
#       page.pixels(x, y, w, h)    rows of (red, green, blue), as drawn
#       page.hidden(SELECTOR)      what of its text is not to be seen, and why
#       page.inked(SELECTOR)       is something drawn where that element's text is?
#
# No name is looked up and nothing outside of this host is asked for.
import base64
import fcntl
import json
import os
import select
import shutil
import signal
import struct
import sys
import time
import zlib

NAMES = ("chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-breakpad", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--hide-scrollbars", "--force-color-profile=srgb", "--window-size=1280,900",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe")

# The text of elements that has no size, is outside of the page or is covered: [what, why].
HIDDEN = """(() => {
  const found = [], root = document.documentElement;
  for (const e of document.querySelectorAll(SELECTOR)) {
    const text = [...e.childNodes].find(n => n.nodeType === 3 && n.data.trim());
    if (!text) continue;
    e.scrollIntoView({block: 'center', inline: 'center'});
    const range = document.createRange();
    range.selectNodeContents(text);
    const t = [...range.getClientRects()].sort((a, b) => b.width - a.width)[0] || new DOMRect(), box = e.getBoundingClientRect();
    const right = Math.min(t.right, Math.max(box.right, t.x + 1)), style = getComputedStyle(e);
    const at = document.elementFromPoint((t.x + right) / 2, t.y + t.height / 2);
    const why = t.width < 1 || t.height < 1 ? 'has no size' : style.visibility !== 'visible' ? 'is invisible' :
      t.x < -1 || right > root.clientWidth + 1 ? 'lies outside' :
      !at || !e.contains(at) ? 'is covered by ' + (at ? at.outerHTML.slice(0, 90) : 'nothing') : '';
    if (why) found.push([e.textContent.slice(0, 40), why]);
  }
  window.scrollTo(0, 0);
  return found;
})()"""
RECTANGLE = """(() => {
  const e = document.querySelector(SELECTOR);
  e.scrollIntoView({block: 'center'});
  const r = e.getBoundingClientRect();
  return [r.x, r.y, r.width, r.height].map(Math.round);
})()"""


def unfiltered(data):
    """The rows of a PNG of 8 bits a colour, as Chromium writes them."""
    place, packed = 8, b""
    while place < len(data):
        size, kind = struct.unpack(">I4s", data[place:place + 8])
        body = data[place + 8:place + 8 + size]
        if kind == b"IHDR":
            width, _, depth, colour = struct.unpack(">IIBB", body[:10])
            each = {2: 3, 6: 4}[colour]
            assert depth == 8, "a PNG of another depth"
        elif kind == b"IDAT":
            packed += body
        place += size + 12
    raw, stride, before, rows = zlib.decompress(packed), width * each, bytes(width * each), []
    for start in range(0, len(raw), stride + 1):
        row = bytearray(raw[start + 1:start + 1 + stride])
        for i in range(stride):
            a, b, c = (row[i - each], before[i], before[i - each]) if i >= each else (0, before[i], 0)
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            row[i] = (row[i] + (0, a, b, (a + b) // 2, paeth)[raw[start]]) & 255
        before = row
        rows.append([tuple(row[i:i + 3]) for i in range(0, stride, each)])
    return rows


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        self.errors, self.asked, self.loaded = [], [], False

    def call(self, method, **words):
        return self.browser.call(method, self.session, **words)

    def event(self, method, said):
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.errors.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "assert"):
            self.errors.append(str([a.get("value") for a in said["args"]]))
        elif method == "Network.requestWillBeSent":
            self.asked.append(said["request"]["url"])

    def value(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise ValueError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, script, seconds=30):
        end = time.monotonic() + seconds
        while not (value := self.value(script)) and time.monotonic() < end:
            time.sleep(0.05)
        return value or None

    def pixels(self, x, y, width=1, height=1):
        clip = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", clip=clip)["data"]
        return unfiltered(base64.b64decode(data))

    def inked(self, selector):
        x, y, width, height = self.value(RECTANGLE.replace("SELECTOR", json.dumps(selector)))
        scroll = self.value("[scrollX, scrollY]")
        colours = {c for row in self.pixels(x + scroll[0], y + scroll[1], min(width, 300), height) for c in row}
        return len(colours) > 2 and max(map(sum, colours)) - min(map(sum, colours)) > 200

    def hidden(self, selector):
        return self.value(HIDDEN.replace("SELECTOR", json.dumps(selector)))


class Browser:
    def __init__(self):
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            print("no Chromium on PATH (Debian: chromium-headless-shell)")
            sys.exit(77)
        ends = os.pipe() + os.pipe()
        theirs, self.to, self.answers, ours = [fcntl.fcntl(e, fcntl.F_DUPFD_CLOEXEC, 10) for e in ends]
        for end in ends:
            os.close(end)
        home = f"{os.environ['TMP']}/browser"
        os.makedirs(home, exist_ok=True)
        words = [program, *FLAGS, f"--user-data-dir={home}", "about:blank"]
        # 3 and 4 are the protocol's; the log is for who looks for a failure
        self.log = f"{home}/log"
        self.pid = os.posix_spawn(program, words, {**os.environ, "HOME": home}, file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, self.log, os.O_WRONLY | os.O_CREAT, 0o666),
            (os.POSIX_SPAWN_DUP2, 1, 2), (os.POSIX_SPAWN_DUP2, theirs, 3), (os.POSIX_SPAWN_DUP2, ours, 4)])
        os.close(theirs)
        os.close(ours)
        self.rest, self.count, self.pages = b"", 0, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close", seconds=10)
        except (OSError, TimeoutError):
            pass
        os.close(self.to)
        os.close(self.answers)
        for _ in range(100):
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return
            time.sleep(0.1)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def next_message(self, end):
        while b"\0" not in self.rest:
            left = end - time.monotonic()
            if left < 0 or not select.select([self.answers], [], [], left)[0]:
                raise TimeoutError("Chromium does not answer")
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                with open(self.log, encoding="utf-8", errors="replace") as f:
                    raise OSError(f"Chromium ended: {f.read()[-2000:]}")
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, seconds=60, **words):
        self.count += 1
        message = {"id": self.count, "method": method, "params": words}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        end = time.monotonic() + seconds
        while True:
            said = self.next_message(end)
            if said.get("id") == message["id"]:
                if "error" in said:
                    raise ValueError(f"{method}: {said['error']}")
                return said["result"]
            page = self.pages.get(said.get("sessionId"))
            if page and "method" in said:
                page.event(said["method"], said["params"])

    def open(self, url, width=1280, height=900):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=False)
        failed = page.call("Page.navigate", url=url).get("errorText")
        if failed:
            raise OSError(f"{url}: {failed}")
        end = time.monotonic() + 60
        while not page.loaded and time.monotonic() < end:
            page.value("1")  # events come with the answers
            time.sleep(0.02)
        return page
