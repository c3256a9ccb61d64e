// SPDX-License-Identifier: BSL-1.0
// examples/sessionize - the visits in a web server's log, from standard input, each as soon as it is over:
//
//   tail -n +1 -f /var/log/apache2/access.log | sessionize            visits end after 30 minutes of silence
//   sessionize 10 < access.log                                        after 10 minutes
//   sessionize --watch 10 < access.log > visits                       and says how far it is, on standard error
//
// A request that comes late and reaches a visit that was printed already takes that line back: it stands again with a
// minus in front. Tested by tests/examples/sessionize.sh.
#include "access_line.hpp"

#include "../support/watch.hpp"

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

namespace dl = driftless;
using namespace driftless::literals;
using sessionize::request;

namespace {
/// Servers write a request down when it has been answered: up to a minute out of order is expected, an hour is allowed.
auto visits(dl::duration gap) {
    return dl::from<request>()
        | dl::assign_time<&request::at>(dl::bounded_disorder{1_min})
        | dl::key_by<&request::client>()
        | dl::window(dl::session{gap}, dl::allowed_lateness{1_h})
        | dl::aggregate(dl::count(), dl::sum<&request::bytes>());
}

void print(char const* sign, dl::text client, dl::time_window window, dl::duration gap) {
    std::cout << sign << client.view() << ' ' << sessionize::text_of(window.start) << " to "
              << sessionize::text_of(window.end - gap);
}

int run(dl::duration gap, bool watched) {
    support::watch status{watched};
    dl::memory_log<request> requests;
    dl::job job{dl::stream{}, visits(gap), requests,
        dl::to(
            [&](auto const& visit) {
                auto const& [hits, bytes] = visit.value;
                status.clear();
                print("", visit.key, visit.window, gap);
                std::cout << ": " << hits << " hits, " << bytes << " bytes" << std::endl;  // seen at once
            },
            [&](dl::text client, dl::time_window window) {
                status.clear();
                print("-", client, window, gap);
                std::cout << std::endl;
            })};
    std::uint64_t unreadable = 0;
    for (std::string line; std::getline(std::cin, line);) {
        auto const one = sessionize::read(line);
        if (!one) {
            ++unreadable;
            continue;
        }
        requests.append(*one);
        job.poll();
        status.tick([&] { return job.metrics(); });
        requests.trim(0, requests.end_offset());  // what was read is not needed any more
    }
    job.drain();
    auto const report = job.metrics();
    if (unreadable != 0) std::cerr << "sessionize: " << unreadable << " lines are no requests\n";
    if (auto const late = report.refused(dl::reason::late); late != 0)
        std::cerr << "sessionize: " << late << " requests came too late\n";
    return 0;
}
}  // namespace

int main(int argc, char** argv) {
    bool const watched = support::take_watch(argc, argv);
    auto const minutes = argc > 1 ? sessionize::detail::number(argv[1]).value_or(0) : 30;
    if (argc > 2 || minutes < 1 || minutes > 1'000'000) {
        std::cerr << "usage: sessionize [--watch] [MINUTES] < access.log; a visit ends after so many minutes of "
                     "silence (30)\n";
        return 2;
    }
    try {
        return run(minutes * 1_min, watched);
    } catch (dl::error const& problem) {
        std::cerr << "sessionize: " << problem.what() << '\n';
        return 1;
    }
}
