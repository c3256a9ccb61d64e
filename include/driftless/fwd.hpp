// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FWD_HPP
#define DRIFTLESS_FWD_HPP

// Names only: for headers that mention driftless types in declarations.

namespace driftless::inline v0 {
class duration;
class event_time;
class text;
class error;
struct time_window;
struct pane_info;
struct unkeyed;
struct rows;
struct columns;
template <class Threads, class Leave>
struct batch;
struct stream;
struct report;
template <class T>
struct event;
template <class Left, class Right>
struct joined;
template <class Key, class Value>
struct pane;
template <class Prev, class Op>
struct link;
template <class T>
class result;
template <class T, class Layout>
class memory_log;
template <class Mode, class P, class... Args>
class job;
}  // namespace driftless::inline v0
#endif
