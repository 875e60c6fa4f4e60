from multiprocessing import Process
import time,os

def func(str):
    # os.getpid  获取当前进程的进程号
    # os.getppid  获取当前进程的父进程
    while True:
        print("this is process 2--%s--%s--%s"%(str,os.getpid(),os.getppid()))
        time.sleep(1.5)

if __name__ == '__main__':
    print("父进程启动...--%s--%s"%(os.getpid(),os.getppid()))
    # 创建子进程
    # target 说明进程的任务
    p = Process(target=func,args=("python",))
    # 启动进程
    p.start()
    # 主进程中的
    while True:
        print("this is a process 1--%s--%s"%(os.getpid(),os.getppid()))
        time.sleep(1)
