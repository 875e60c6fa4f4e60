from multiprocessing import Process
from time import sleep

def func():
    print("子进程启动...")
    sleep(3)
    print("子进程结束...")

if __name__ == '__main__':
    print("父进程启动...")
    p = Process(target = func)
    p.start()
    # sleep(1)
    # 让父进程等待子进程结束之后父进程再结束
    # timeout 超时时间   父进程的等待时间
    p.join()
    #执行后一直等待
    print("父进程结束...")
