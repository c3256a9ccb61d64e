// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_GROUP_STATE_HPP
#define DRIFTLESS_LOG_DETAIL_GROUP_STATE_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/assignment.hpp>
#include <driftless/log/detail/format.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// What a group is at one moment: its members, who has which partition, and how far each partition is processed.
///
/// A partition has an owner, who may commit, and a target, who is to have it. It passes from one to the other in two
/// steps, each in a heartbeat of the member concerned: the owner gives it up, then the target takes it. So there is
/// never a second owner. Members are known by a number that no other join ever gets.
struct group_state {
    static constexpr std::uint64_t nobody = 0;

    struct member {
        std::uint64_t number = nobody;
        std::string id;
        std::string instance;
        duration lease;
        event_time deadline;  // dropped from then on
        friend bool operator==(member const&, member const&) = default;
    };
    struct partition {
        std::uint64_t offset = 0;
        std::uint64_t owner = nobody;
        std::uint64_t target = nobody;
        friend bool operator==(partition const&, partition const&) = default;
    };

    assignment how = assignment::sticky;
    std::uint64_t joins = 0;
    std::vector<member> members;
    std::vector<partition> partitions;

    static constexpr std::string_view magic = "DRFTGRP\x01";
    static constexpr std::uint32_t format = 1;
    friend bool operator==(group_state const&, group_state const&) = default;

    [[nodiscard]] member* find(std::uint64_t number) {
        auto const at = std::find_if(
            members.begin(), members.end(), [number](member const& each) { return each.number == number; });
        return at == members.end() ? nullptr : &*at;
    }
    /// The member with that instance; that id where there is none.
    [[nodiscard]] member* find(std::string_view id, std::string_view instance) {
        auto const at = std::find_if(members.begin(), members.end(), [&](member const& each) {
            return each.instance == instance && (!instance.empty() || each.id == id);
        });
        return at == members.end() ? nullptr : &*at;
    }

    /// Drops who has not been heard of in time.
    void expire(event_time now) {
        auto const dropped = std::erase_if(members, [now](member const& each) { return each.deadline <= now; });
        if (dropped != 0) share();
    }
    /// Makes a member, in the place of an earlier one of that instance or id if there is one; returns its number.
    std::uint64_t join(std::string id, std::string instance, duration lease, event_time now) {
        auto const number = ++joins;
        if (auto* const place = find(id, instance)) {
            for (auto& each : partitions) {
                if (each.owner == place->number) each.owner = number;
                if (each.target == place->number) each.target = number;
            }
            *place = {number, std::move(id), std::move(instance), lease, now + lease};
        } else {
            members.push_back({number, std::move(id), std::move(instance), lease, now + lease});
            share();
        }
        pass(number);
        return number;
    }
    /// Does nothing to a lease of which less than a tenth has passed: whoever asks often is to find nothing changed.
    void renew(member& who, event_time now) {
        auto const fresh = now + who.lease;
        bool const clock_went_back = fresh < who.deadline;
        if (clock_went_back || (fresh - who.deadline).ns() >= who.lease.ns() / 10) who.deadline = fresh;
        pass(who.number);
    }
    void leave(std::uint64_t number) {
        if (std::erase_if(members, [number](member const& each) { return each.number == number; }) != 0) share();
    }
    [[nodiscard]] std::vector<std::uint32_t> owned_by(std::uint64_t number) const {
        std::vector<std::uint32_t> out;
        for (std::uint32_t p = 0; p < partitions.size(); ++p) {
            if (partitions[p].owner == number) out.push_back(p);
        }
        return out;
    }
    /// Decides anew who is to have what; nothing passes yet but what owners that are gone have left.
    void share() {
        std::map<std::uint64_t, std::string> keys;
        std::map<std::string, std::uint64_t, std::less<>> numbers;
        std::vector<group_subscription> subscriptions;
        for (auto const& each : members) {
            auto key = each.instance.empty() ? "m" + each.id : "i" + each.instance;
            keys[each.number] = key;
            numbers[key] = each.number;
            subscriptions.push_back({std::move(key), each.instance, {"log"}});
        }
        partition_shares before;
        for (std::uint32_t p = 0; p < partitions.size(); ++p) {
            auto& each = partitions[p];
            if (!keys.contains(each.owner)) each.owner = nobody;
            auto const had = keys.find(each.owner != nobody ? each.owner : each.target);
            if (had != keys.end()) before[had->second].push_back({"log", p});
            each.target = nobody;
        }
        auto const count = static_cast<std::uint32_t>(partitions.size());
        for (auto const& [key, mine] : assign_partitions(how, std::move(subscriptions), {{"log", count}}, before)) {
            for (auto const& each : mine) partitions[each.partition].target = numbers[key];
        }
    }

private:
    /// Gives up what is to be another's, and takes what is free.
    void pass(std::uint64_t number) {
        for (auto& each : partitions) {
            if (each.owner == number && each.target != number) each.owner = nobody;
            if (each.owner == nobody && each.target == number) each.owner = number;
        }
    }
};

/// What the file `lock` of a group holds once there is a state: one that is not there any more has been lost.
inline constexpr std::string_view group_lock_made = "made\n";

inline std::string encode(group_state const& of) {
    std::map<std::uint64_t, std::uint64_t> places{{group_state::nobody, 0}};
    std::string out;
    byte_writer to{out};
    to.put_bytes(group_state::magic);
    to.put_fixed32(group_state::format);
    to.put_byte(static_cast<std::uint8_t>(of.how));
    to.put_varint(of.joins);
    to.put_varint(of.members.size());
    for (auto const& each : of.members) {
        places.emplace(each.number, places.size());
        to.put_varint(each.number);
        to.put_varint(each.id.size());
        to.put_bytes(each.id);
        to.put_varint(each.instance.size());
        to.put_bytes(each.instance);
        to.put_fixed64(static_cast<std::uint64_t>(each.lease.ns()));
        to.put_fixed64(static_cast<std::uint64_t>(each.deadline.ns()));
    }
    to.put_varint(of.partitions.size());
    for (auto const& each : of.partitions) {
        to.put_varint(each.offset);
        to.put_varint(places.at(each.owner));
        to.put_varint(places.at(each.target));
    }
    to.put_fixed64(xxh3_64(out.data(), out.size()));
    return out;
}

/// Errors      corrupt, malformed or unsupported, with the path.
inline group_state decode_group_state(std::string_view bytes, std::string const& path) {
    constexpr std::size_t start = group_state::magic.size() + 4;
    if (bytes.size() < start + 8 || bytes.substr(0, group_state::magic.size()) != group_state::magic) {
        throw error{error_code::corrupt,
            "this is not the state of a group, or it is damaged: bring the file back, or remove the folder of the "
            "group to begin anew",
            path};
    }
    auto const end = bytes.size() - 8;
    auto const stored = byte_reader{bytes.substr(end)}.get_fixed64();
    auto const computed = xxh3_64(bytes.data(), end);
    if (stored != computed) {
        throw error{error_code::corrupt,
            "the state of the group is damaged: its checksum is " + hex(stored) + ", that of the bytes is "
                + hex(computed) + "; bring the file back, or remove the folder of the group to begin anew",
            path};
    }
    auto const format = byte_reader{bytes.substr(group_state::magic.size())}.get_fixed32();
    if (format > group_state::format) {
        throw error{error_code::unsupported,
            "the state of the group has format " + std::to_string(format) + ", this build reads formats up to "
                + std::to_string(group_state::format) + ": use a newer driftless",
            path};
    }
    try {
        byte_reader from{bytes.substr(start, end - start), start};
        group_state out;
        auto const how = from.get_byte();
        if (how > static_cast<std::uint8_t>(assignment::sticky)) from.fail("there is no such way to share partitions");
        out.how = static_cast<assignment>(how);
        out.joins = from.get_varint();
        std::vector<std::uint64_t> numbers{group_state::nobody};
        for (auto n = from.get_count(19); n > 0; --n) {
            group_state::member each;
            each.number = from.get_varint();
            each.id = from.get_bytes(from.get_count());
            each.instance = from.get_bytes(from.get_count());
            each.lease = duration{static_cast<std::int64_t>(from.get_fixed64())};
            each.deadline = event_time{static_cast<std::int64_t>(from.get_fixed64())};
            if (each.number == group_state::nobody || each.number > out.joins) from.fail("a member has no number");
            numbers.push_back(each.number);
            out.members.push_back(std::move(each));
        }
        for (auto n = from.get_count(3); n > 0; --n) {
            auto const offset = from.get_varint();
            auto const owner = from.get_varint();
            auto const target = from.get_varint();
            if (owner >= numbers.size() || target >= numbers.size()) from.fail("a partition is with nobody there is");
            out.partitions.push_back({offset, numbers[owner], numbers[target]});
        }
        from.expect_end();
        return out;
    } catch (error const& problem) {
        throw error{error_code::malformed,
            "the state of the group cannot be read, though its checksum fits: it was written so. Remove the folder of "
            "the group to begin anew",
            path, problem.offset()};
    }
}
}  // namespace driftless::inline v0::detail
#endif
