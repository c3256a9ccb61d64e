// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_KAPPA_REPLAY_READERS_HPP
#define EXAMPLES_KAPPA_REPLAY_READERS_HPP

#include "report.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace kappa {

/// Threads that read the report all the time and look closely at what they are given.
class readers {
    report_deployment::versions const& view_;
    batch_rows const& truth_;
    std::atomic<bool> done_{false};
    std::atomic<std::uint64_t> answers_{0};
    std::atomic<std::uint64_t> wrong_{0};
    std::atomic<std::uint64_t> mixed_{0};
    std::mutex mutex_;
    std::set<std::uint64_t> versions_;
    std::string example_;
    std::vector<std::thread> threads_;

public:
    readers(report_deployment::versions const& view, batch_rows const& truth, int count)
        : view_(view), truth_(truth) {
        for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
    }
    readers(readers const&) = delete;
    readers& operator=(readers const&) = delete;
    ~readers() { stop(); }
    void stop() {
        done_ = true;
        for (auto& each : threads_) each.join();
        threads_.clear();
    }
    [[nodiscard]] std::uint64_t answers() const { return answers_; }
    [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
    [[nodiscard]] std::uint64_t mixed() const { return mixed_; }
    [[nodiscard]] std::size_t versions() const { return versions_.size(); }
    [[nodiscard]] std::string const& example() const { return example_; }

private:
    void work() {
        std::uint64_t answers = 0;
        std::uint64_t last = 0;
        while (!done_) {
            auto const session = view_.read();
            if (session.version() != last) {
                std::lock_guard const lock{mutex_};
                versions_.insert(session.version());
            }
            last = session.version();
            bool const taxed = session.about().logic_version == "with_tax";
            auto const& expected = taxed ? truth_.with_tax : truth_.without_tax;
            bool with = false;
            bool without = false;
            std::uint64_t wrong = 0;
            session->snapshot().for_each([&](auto const& row) {
                ++answers;
                auto const found = expected.find({row.window, std::string{row.key}});
                if (found == expected.end() || !(found->second == row.value)) ++wrong;
                if (row.value.net_pence != 0) (row.value.tax != 0 ? with : without) = true;
            });
            if (wrong != 0) complain(wrong_, wrong, "wrong rows", session.version());
            if (with && without) complain(mixed_, 1, "rows with tax and rows without", session.version());
            std::this_thread::yield();
        }
        answers_ += answers;
    }
    void complain(std::atomic<std::uint64_t>& count, std::uint64_t by, char const* what, std::uint64_t version) {
        count += by;
        std::lock_guard const lock{mutex_};
        example_ = std::string{what} + " in version " + std::to_string(version);
    }
};
}  // namespace kappa
#endif
