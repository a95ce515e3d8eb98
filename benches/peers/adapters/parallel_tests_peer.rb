# parallel_tests: groups of even size by recorded runtime.
require "json"
require "parallel_tests"
require "parallel_tests/grouper"

durations = JSON.parse(File.read(ARGV[0]))
began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
shards = ParallelTests::Grouper.in_even_groups_by_size(durations.to_a, ARGV[1].to_i)
took = Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
puts JSON.generate("algorithm_s" => took, "shards" => shards)
