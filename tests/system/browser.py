"""A real browser for the tests of the page: headless Chromium with an empty profile and no network.

Nothing is faked in it: it opens the page from disk, decodes the take's files and plays them.
"""

import base64
import pathlib
import shutil
import tempfile
import time

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = ("--headless=new --no-sandbox --disable-gpu --disable-background-networking "
         "--disable-component-update --disable-sync --no-first-run --hide-scrollbars "
         "--disable-dev-shm-usage --autoplay-policy=no-user-gesture-required "
         "--host-resolver-rules=MAP * ~NOTFOUND").split(" --")


def require_browser():
    pytest.importorskip("selenium", reason="python3-selenium is not installed")
    if not CHROMIUM or not DRIVER:
        pytest.skip("chromium and chromium-driver are not installed")


class Browser:
    def __init__(self, width=1280, height=900, dark=False):
        from selenium import webdriver
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
        self.profile = tempfile.mkdtemp(prefix="stemd-browser.")
        options = Options()
        options.binary_location = CHROMIUM
        for flag in FLAGS:
            options.add_argument("--" + flag.removeprefix("--"))
        options.add_argument("--user-data-dir=" + self.profile)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_script_timeout(120)
        self.driver.set_page_load_timeout(120)
        self.width = width
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=1, mobile=width < 600)
        self.prefer("prefers-color-scheme", "dark" if dark else "light")

    def close(self):
        try:
            self.driver.quit()
        finally:
            shutil.rmtree(self.profile, ignore_errors=True)

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def prefer(self, feature, value):
        self.command("Emulation.setEmulatedMedia", features=[{"name": feature, "value": value}])

    def open(self, folder):
        """Opens the take's page from disk and waits until it is there."""
        self.errors()  # those of the page before
        self.driver.get((pathlib.Path(folder) / "report.html").as_uri())
        self.wait("document.documentElement.dataset.ready && document.querySelector('audio')",
                  "the page")

    def run(self, script, *arguments):
        return self.driver.execute_script("return " + script, *arguments)

    def wait(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.run(condition)
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds} s in vain: {what}")

    def errors(self):
        """What the console told since the last time: errors and warnings."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self):
        """The whole page as PNG."""
        return base64.b64decode(self.command(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"])

    # The page

    def key(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def click(self, selector):
        from selenium.webdriver.common.by import By
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def drag(self, selector, start, end=None):
        """Presses the mouse at a part (0 … 1) of an element's width and lets go at another."""
        box = self.run("(e => { e.scrollIntoView({block: 'center'}); return e.getBoundingClientRect()"
                       ".toJSON(); })(document.querySelector(arguments[0]))", selector)

        def mouse(kind, part):
            self.command("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1,
                         x=box["x"] + box["width"] * part, y=box["y"] + box["height"] / 2)

        mouse("mousePressed", start)
        if end is not None:
            mouse("mouseMoved", (start + end) / 2)
            mouse("mouseMoved", end)
        mouse("mouseReleased", start if end is None else end)

    def players(self):
        """State of every audio element, in the order of the page's rows."""
        return self.run("""[...document.querySelectorAll('audio')].map(a => ({
            file: decodeURIComponent(a.src.split('/').pop()), at: a.currentTime, paused: a.paused,
            muted: a.muted, volume: a.volume, rate: a.playbackRate, error: !!a.error}))""")

    def readings(self, seconds, every_ms=50):
        """Watches all players for a while. Each reading: where they are and how far apart. Times are
        taken one by one against one clock, so that a slow machine does not look like a spread."""
        return self.driver.execute_async_script("""
            const [seconds, every, done] = arguments, all = [...document.querySelectorAll('audio')];
            const list = [], end = performance.now() + seconds * 1000;
            const timer = setInterval(() => {
              const at = [], off = all.map(a => {
                const before = performance.now(), time = a.currentTime;
                at.push(time);
                return time - (before + performance.now()) / 2000;
              });
              list.push({at: Math.min(...at), spread: Math.max(...off) - Math.min(...off),
                running: all.filter(a => !a.paused).length,
                bent: all.filter(a => a.playbackRate !== 1).length});
              if (performance.now() > end) { clearInterval(timer); done(list); }
            }, every);""", seconds, every_ms)
