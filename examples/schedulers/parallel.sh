#!/bin/sh
# A sweep with GNU parallel: sh parallel.sh sweeps/lr 4
# tasks.txt has a command a line. Stopped or killed, the same command goes on: tasks that are final say so at once.
# Not with --retries, which would repeat exit status 1: that is a result.
exec parallel --jobs "${2:-2}" --joblog "$1/parallel.log" --termseq TERM,60000,KILL,25 <"$1/tasks.txt"
