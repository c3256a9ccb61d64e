// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_TPCH_DATABASE_HPP
#define EXAMPLES_TPCH_DATABASE_HPP

#include "tpch.hpp"

#include <boost/hana/accessors.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/second.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tpch {

/// Two rows of a table have one key.
struct doubled : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The rows of a table with their text, one of each key.
template <class Row>
class rows {
    std::vector<Row> all_;
    std::set<decltype(key_of<Row>::of(std::declval<Row const&>()))> keys_;
    std::unordered_set<std::string> texts_;

public:
    void append(Row row) {
        if (!keys_.insert(key_of<Row>::of(row)).second) {
            throw doubled{"row " + std::to_string(all_.size() + 1)
                + " has the key of a row before it: every row of a table needs its own"};
        }
        boost::hana::for_each(boost::hana::accessors<Row>(), [&](auto accessor) {
            auto& member = boost::hana::second(accessor)(row);
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, dl::text>) {
                member = *texts_.insert(member.str()).first;
            }
        });
        all_.push_back(row);
    }
    [[nodiscard]] std::vector<Row> const& all() const { return all_; }
};

struct database {
    rows<region> regions;
    rows<nation> nations;
    rows<supplier> suppliers;
    rows<customer> customers;
    rows<part> parts;
    rows<partsupp> partsupps;
    rows<order> orders;
    rows<lineitem> lineitems;
};

/// How its tables came to be.
struct history {
    dl::memory_log<arrival<region>> regions;
    dl::memory_log<arrival<nation>> nations;
    dl::memory_log<arrival<supplier>> suppliers;
    dl::memory_log<arrival<customer>> customers;
    dl::memory_log<arrival<part>> parts;
    dl::memory_log<arrival<order>> orders;
    dl::memory_log<arrival<lineitem>> lineitems;
};

/// Appends the rows one after the other; or, with the seed of an order, in any order over all tables, and every other
/// one not at once as it should be: it is wrong first and then deleted, or overwritten; it is deleted and comes again;
/// or one that should not be there at all comes before it and goes after it.
void arrive(database const& from, std::optional<std::uint64_t> shuffle, history& to);
}  // namespace tpch
#endif
