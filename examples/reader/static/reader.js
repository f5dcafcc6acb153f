// What the reader does beyond links and forms. Everything can be read without it.
"use strict";

(() => {
	const $ = (id) => document.getElementById(id);
	document.documentElement.classList.add("script");

	// What this browser keeps. Anything in it may be missing or damaged.
	const isID = (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
	const kept = {
		get(name, otherwise) {
			try {
				const value = JSON.parse(localStorage.getItem(name));
				return value !== null && typeof value === typeof otherwise && Array.isArray(value) === Array.isArray(otherwise) ? value : otherwise;
			} catch {
				return otherwise;
			}
		},
		set(name, value) {
			try {
				localStorage.setItem(name, JSON.stringify(value));
			} catch {
				// It is full, or not allowed; reading goes on without.
			}
		},
		// started are the titles that were begun, the last one first.
		started() {
			return kept.get("started", []).filter((s) => s && isID(s.manga) && isID(s.chapter) && Number.isInteger(s.page));
		},
		read() {
			return kept.get("read", []).filter(isID);
		},
	};
	const placeOf = (s) => `/chapter/${s.chapter}` + (s.page > 1 ? `#page-${s.page}` : "");

	// Keys and dialog, on every page.
	for (const opener of document.querySelectorAll("[data-opens]")) {
		opener.addEventListener("click", () => $(opener.dataset.opens).showModal());
	}
	const keys = {
		"/": () => $("q") ? $("q").select() : location.assign("/"),
		"?": () => $("keys").showModal(),
		n: () => $("next-chapter")?.click(),
		p: () => $("previous-chapter")?.click(),
	};
	document.addEventListener("keydown", (event) => {
		if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
		const within = event.target.closest("input, select, textarea");
		if (within && within.type !== "checkbox") return;
		const name = event.shiftKey && event.key === " " ? "Shift+Space" : event.key;
		if (name === " " && event.target.closest("button, a, input")) return;
		if (!Object.hasOwn(keys, name)) return;
		if (keys[name]() !== false) event.preventDefault();
	});

	// Pictures that do not arrive: those of covers are asked for again after a while.
	for (const image of document.querySelectorAll(".cover img")) {
		let tries = 0;
		const failed = () => {
			image.parentElement.classList.add("failed");
			if (++tries < 4) setTimeout(() => { image.src = image.src; }, 2000 * tries);
		};
		image.addEventListener("error", failed);
		image.addEventListener("load", () => image.parentElement.classList.remove("failed"));
		if (image.complete && image.currentSrc && !image.naturalWidth) failed();
	}

	// The start page: what was begun here.
	if ($("continue")) {
		const list = $("continue").querySelector("ul");
		for (const s of kept.started().slice(0, 6)) {
			const item = document.createElement("li");
			const link = document.createElement("a");
			link.href = placeOf(s);
			link.textContent = `${s.title}: ${s.label}` + (s.page > 1 ? `, page ${s.page}` : "");
			item.append(link);
			list.append(item);
			$("continue").hidden = false;
		}
		$("continue").querySelector("button").addEventListener("click", () => {
			kept.set("started", []);
			kept.set("read", []);
			$("continue").hidden = true;
		});
	}

	// A title: where this browser has stopped, unless the account knows better.
	const manga = document.querySelector("article[data-manga]")?.dataset.manga;
	if (manga) {
		const loggedIn = "loggedIn" in document.body.dataset;
		const s = kept.started().find((s) => s.manga === manga);
		if (s && $("begin")) {
			$("begin").href = placeOf(s);
			$("begin").textContent = `Continue: ${s.label}` + (s.page > 1 ? `, page ${s.page}` : "");
		}
		const read = new Set(loggedIn ? [] : kept.read());
		for (const row of document.querySelectorAll("[data-chapter]")) {
			if (!read.has(row.dataset.chapter)) continue;
			row.classList.add("read");
			row.querySelector(".state").textContent = "read";
		}
		$("choose-all")?.addEventListener("click", () => {
			const boxes = [...document.querySelectorAll("input[name=chapter]")];
			const all = boxes.every((box) => box.checked);
			for (const box of boxes) box.checked = !all;
		});
	}

	// A chapter.
	const reader = $("reader");
	if (!reader) return;
	const figures = [...reader.querySelectorAll(".page")];
	const stops = [...figures, $("end")];
	const layout = $("layout");
	let current = 0; // index in stops
	let moving = false; // the page scrolls because we want it to

	const paged = () => layout.value !== "strip";
	const image = (figure) => figure.querySelector("img");

	const settle = (figure, arrived) => {
		figure.classList.toggle("arrived", arrived);
		figure.classList.toggle("failed", !arrived);
		figure.querySelector(".failure").hidden = arrived;
	};
	const again = (figure) => {
		const picture = image(figure);
		figure.classList.remove("failed");
		figure.querySelector(".failure").hidden = true;
		picture.loading = "eager";
		picture.src = picture.src;
	};
	const allAgain = () => figures.filter((f) => f.classList.contains("failed")).forEach(again);
	for (const figure of figures) {
		const picture = image(figure);
		picture.addEventListener("load", () => settle(figure, true));
		picture.addEventListener("error", () => settle(figure, false));
		if (picture.complete && picture.currentSrc) settle(figure, picture.naturalWidth > 0);
		figure.querySelector("button").addEventListener("click", (event) => {
			event.stopPropagation();
			again(figure);
		});
	}
	addEventListener("online", allAgain);

	// keep remembers where the reader is, and after the last page where to go on.
	const keep = () => {
		const d = reader.dataset;
		if (!isID(d.manga)) return;
		const others = kept.started().filter((s) => s.manga !== d.manga);
		let place = { manga: d.manga, title: d.title, chapter: d.chapter, label: d.label, page: Math.min(current + 1, figures.length) };
		if (current === figures.length) {
			place = d.next ? { ...place, chapter: d.next, label: d.nextLabel, page: 1 } : null;
			kept.set("read", [...new Set([d.chapter, ...kept.read()])].slice(0, 5000));
			mark();
		}
		kept.set("started", [...(place ? [place] : []), ...others].slice(0, 50));
	};

	// mark tells the account that the chapter was read, once.
	let marked = false;
	const mark = async () => {
		const form = $("mark");
		if (!form || marked) return;
		marked = true;
		const says = form.querySelector("[role=status]");
		try {
			const fields = new URLSearchParams(new FormData(form));
			fields.set("quiet", "yes");
			const answer = await fetch(form.action, { method: "POST", body: fields, keepalive: true });
			if (!answer.ok) throw new Error((await answer.text()).trim());
			form.querySelector("button").hidden = true;
			says.textContent = "Marked as read.";
		} catch (error) {
			marked = false;
			says.textContent = `Not marked as read. ${error.message}`;
		}
	};
	$("mark")?.addEventListener("submit", (event) => {
		event.preventDefault();
		mark();
	});

	// arrive makes a stop the current one.
	const arrive = (index, announce) => {
		current = index;
		const atEnd = index === figures.length;
		const text = atEnd ? "End" : `${index + 1} / ${figures.length}`;
		if (!atEnd) $("slider").value = index + 1;
		$("where").textContent = text;
		if (announce) $("announce").textContent = atEnd ? "End of the chapter" : `Page ${index + 1} of ${figures.length}`;
		for (const figure of figures.slice(Math.max(index - 1, 0), index + 4)) image(figure).loading = "eager";
		if (announce && atEnd) ($("next-chapter") ?? $("end")).focus({ preventScroll: true });
		history.replaceState(null, "", index > 0 && !atEnd ? `#page-${index + 1}` : location.pathname);
		keep();
	};

	const show = (index, announce = true) => {
		index = Math.max(0, Math.min(index, figures.length));
		if (paged()) {
			stops.forEach((stop, i) => { stop.hidden = i !== index; });
			reader.scrollTop = 0;
		} else {
			moving = true;
			if (index > 0) stops[index].scrollIntoView();
			else scrollTo(0, 0); // so that the bar above the first page is seen
			requestAnimationFrame(() => requestAnimationFrame(() => { moving = false; }));
		}
		arrive(index, announce);
	};
	const next = () => current < figures.length ? show(current + 1) : $("next-chapter")?.click();
	const previous = () => current > 0 ? show(current - 1) : $("previous-chapter")?.click();

	const lay = (value) => {
		layout.value = value;
		document.documentElement.classList.toggle("paged", paged());
		document.documentElement.classList.toggle("rtl", value === "rtl");
		for (const stop of stops) stop.hidden = false;
		show(current, false);
	};
	layout.addEventListener("change", () => {
		kept.set("layout", layout.value);
		lay(layout.value);
	});

	// Where the strip is: the last stop that begins above the middle of the window.
	let asked = false;
	addEventListener("scroll", () => {
		if (paged() || moving || asked) return;
		asked = true;
		requestAnimationFrame(() => {
			asked = false;
			if (paged() || moving) return;
			let index = stops.findLastIndex((stop) => stop.getBoundingClientRect().top < innerHeight / 2);
			if (scrollY + innerHeight >= document.documentElement.scrollHeight - 2) index = figures.length;
			if (index >= 0 && index !== current) arrive(index, false);
		});
	}, { passive: true });

	$("next-page").addEventListener("click", next);
	$("previous-page").addEventListener("click", previous);
	$("slider").addEventListener("input", () => show($("slider").value - 1));
	const forward = (right) => (right === (layout.value !== "rtl") ? next() : previous());
	Object.assign(keys, {
		ArrowRight: () => forward(true),
		ArrowLeft: () => forward(false),
		j: next,
		k: previous,
		// These scroll a strip.
		" ": () => paged() && next(),
		"Shift+Space": () => paged() && previous(),
		PageDown: () => paged() && next(),
		PageUp: () => paged() && previous(),
		Home: () => paged() && show(0),
		End: () => paged() && show(figures.length - 1),
		r: allAgain,
		u: () => $("up").click(),
		l: () => {
			layout.selectedIndex = (layout.selectedIndex + 1) % layout.options.length;
			layout.dispatchEvent(new Event("change"));
		},
	});

	// A tap on a half of the page, or a swipe, turns it.
	for (const figure of figures) {
		figure.addEventListener("click", (event) => {
			if (paged()) forward(event.clientX > innerWidth / 2);
		});
	}
	let start = null;
	reader.addEventListener("touchstart", (event) => {
		start = event.touches.length === 1 ? event.touches[0] : null;
	}, { passive: true });
	reader.addEventListener("touchend", (event) => {
		if (!start || !paged() || (window.visualViewport?.scale ?? 1) > 1.05) return;
		const dx = event.changedTouches[0].clientX - start.clientX;
		const dy = event.changedTouches[0].clientY - start.clientY;
		if (Math.abs(dx) > 50 && Math.abs(dx) > 2 * Math.abs(dy)) forward(dx < 0);
	}, { passive: true });

	const wanted = /^#page-(\d+)$/.exec(location.hash);
	if (wanted) current = Math.min(Number(wanted[1]), figures.length) - 1;
	const favourite = kept.get("layout", "");
	lay(["rtl", "ltr", "strip"].includes(favourite) ? favourite : reader.dataset.layout);
})();
