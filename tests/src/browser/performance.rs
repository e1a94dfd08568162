//! What the page costs the browser.

use super::Browser;
use serde_json::json;
use std::time::Duration;

/// Seconds of the main thread since the page began.
#[derive(Debug, Clone, Copy, Default)]
pub struct MainThread {
    /// All of it.
    pub tasks: f64,
    /// Of that, scripts and WebAssembly.
    pub scripts: f64,
    /// Of that, computing styles and positions.
    pub layout: f64,
}

/// What a scroll cost.
#[derive(Debug, Clone, Copy)]
pub struct Scroll {
    /// Frames that were drawn.
    pub frames: u64,
    /// The main thread's time.
    pub cost: MainThread,
    /// Tasks of 50 ms or more.
    pub long_tasks: u64,
    /// The most rows that were in the page at once.
    pub most_rows: u64,
    /// Where the page ended up, in pixels.
    pub reached: u64,
}

impl Browser {
    /// The main thread's time so far.
    pub async fn main_thread(&self) -> MainThread {
        let cdp = self.web.cdp();
        cdp.send_raw("Performance.enable", json!({}))
            .await
            .expect("metrics");
        let answer = cdp
            .send_raw("Performance.getMetrics", json!({}))
            .await
            .expect("metrics");
        let metrics = answer["metrics"].as_array().cloned().unwrap_or_default();
        let value = |name: &str| {
            let metric = metrics.iter().find(|metric| metric["name"] == name);
            metric
                .and_then(|metric| metric["value"].as_f64())
                .unwrap_or_default()
        };
        MainThread {
            tasks: value("TaskDuration"),
            scripts: value("ScriptDuration"),
            layout: value("LayoutDuration") + value("RecalcStyleDuration"),
        }
    }

    /// Scrolls by so many pixels a frame, for so many frames or to the page's end.
    pub async fn scroll(&self, pixels: f64, frames: u64) -> Scroll {
        let script = format!(
            "window.scrolled = null;
            let frames = 0, long = 0, rows = 0;
            const observer = new PerformanceObserver(list => {{ long += list.getEntries().length; }});
            observer.observe({{type: 'longtask'}});
            const step = () => {{
                const before = scrollY;
                scrollTo(0, before + {pixels});
                frames += 1;
                if (frames % 16 === 0) rows = Math.max(rows, document.querySelectorAll('tr.job-row').length);
                if (frames < {frames} && scrollY > before) return requestAnimationFrame(step);
                window.scrolled = [frames, long, rows, Math.round(scrollY)];
            }};
            requestAnimationFrame(step);"
        );
        let before = self.main_thread().await;
        self.script(&script).await;
        let mut told = [0; 4];
        self.until_within(Duration::from_secs(600), "the page was scrolled", async || {
            let answer = self.script("return window.scrolled").await;
            let Some(answer) = answer.as_array() else {
                return false;
            };
            for (told, value) in told.iter_mut().zip(answer) {
                *told = value.as_u64().unwrap_or_default();
            }
            true
        })
        .await;
        let after = self.main_thread().await;
        let [frames, long_tasks, most_rows, reached] = told;
        Scroll {
            frames,
            cost: MainThread {
                tasks: after.tasks - before.tasks,
                scripts: after.scripts - before.scripts,
                layout: after.layout - before.layout,
            },
            long_tasks,
            most_rows,
            reached,
        }
    }
}
