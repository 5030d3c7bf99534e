// The least that a durable deposit of three replicas can cost: one SHA-256, three files, the syncs, nothing else.
#ifndef GREFFE_TESTS_BENCH_DEPOSIT_FLOOR_H
#define GREFFE_TESTS_BENCH_DEPOSIT_FLOOR_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace greffe::bench {

enum class Syncs { all, none };

// Writes `bytes` under its SHA-256 into each of the directories, in 1 MiB pieces; with Syncs::all every file and name is
// synced. Plain system calls and OpenSSL; nothing of the archive. Ends the program with a message when a call fails.
void deposit_floor(const std::vector<std::string>& directories, std::span<const std::uint8_t> bytes, Syncs syncs);

}  // namespace greffe::bench

#endif
